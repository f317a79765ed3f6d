// A CUDA part that does nothing: with it a build of PyTorch for CPUs accepts tensors that claim to be on a GPU,
// in the backward pass as well.

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace {

using namespace c10;

struct CUDAHooks final : at::CUDAHooksInterface {
  explicit CUDAHooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
};

const Device kGpu(DeviceType::CUDA, 0);
const Stream kStream(Stream::DEFAULT, kGpu);

struct PretendedGuard final : impl::NoOpDeviceGuardImpl<DeviceType::CUDA> {
  Device getDevice() const override { return kGpu; }
  Device exchangeDevice(Device) const override { return kGpu; }
  Stream getStream(Device) const noexcept override { return kStream; }
  Stream exchangeStream(Stream) const noexcept override { return kStream; }
  bool queryStream(const Stream&) const override { return true; }
  bool queryEvent(void*) const override { return true; }
  void record(void**, const Stream&, const DeviceIndex, const EventFlag) const override {}
  void block(void*, const Stream&) const override {}
  void destroyEvent(void*, const DeviceIndex) const noexcept override {}
  void synchronizeStream(const Stream&) const override {}
  void recordDataPtrOnStream(const DataPtr&, const Stream&) const override {}
};

} // namespace

namespace at {
REGISTER_CUDA_HOOKS(CUDAHooks) // the name that PyTorch looks for
}

namespace c10::impl {
C10_REGISTER_GUARD_IMPL(CUDA, PretendedGuard)
}
