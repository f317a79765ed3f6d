"""The errors a user can cause. Each message says where, what was found, what was expected and what to do."""


class XlmError(Exception):
    """Base of every error that a user can cause and mend."""


class ConfigError(XlmError):
    """A key or a value of the configuration is wrong."""


class DownloadError(XlmError):
    """A file could not be fetched, or is not the file that was asked for."""


class ArchiveError(XlmError):
    """An archive is broken, lacks a member, or holds one that must not be unpacked."""


class CorpusError(XlmError):
    """Text or a table does not have the form of its format: cut off, unaligned, empty, wrong columns."""


class PretrainedError(XlmError):
    """A pretrained file is not the one that was named, or does not fit what it is used with."""


class StorageError(XlmError):
    """A file has no room: its disk or a quota is full, or a limit on the size of files is reached."""


class StoreError(XlmError):
    """A token store is damaged, or was built with another vocabulary."""


class CheckpointError(XlmError):
    """A checkpoint or a model file is damaged, or belongs to another run."""


class TrainingError(XlmError):
    """A training cannot go on: its loss is not finite, or it has nothing to learn from."""
