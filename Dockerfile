# What the pipeline needs, without the pipeline itself, which is read from the folder that is mounted or bound
# (docs/cluster.md): the image is to be built anew when packages change, not when code does.
#
#     docker build --target cpu -t xlm:cpu .
#     docker build --target cuda -t xlm:cuda .
#     docker run --rm -v "$PWD:/project" xlm:cpu snakemake xnli_table

FROM python:3.11-slim AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONPATH=/project
WORKDIR /packages
COPY pyproject.toml README.md LICENSE ./
COPY envs/constraints.txt envs/
COPY xlm_core/version.py xlm_core/

FROM packages AS cpu
RUN pip install -c envs/constraints.txt --extra-index-url https://download.pytorch.org/whl/cpu \
    '.[segmentation,interop,slurm,cluster-generic]'
WORKDIR /project

# PyPI's PyTorch brings CUDA's libraries with it; the driver is the machine's: docker run --gpus all, apptainer --nv.
FROM packages AS cuda
RUN pip install -c envs/constraints.txt '.[segmentation,interop,slurm,cluster-generic]'
WORKDIR /project
