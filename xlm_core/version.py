"""Name and version of this program, which model files and model cards hold."""

PROJECT = "xlm-core"
VERSION = "0.1.0"
