"""Raw files: where they come from, what they are called, what is known of them."""

from pathlib import Path
from urllib.parse import urlsplit

from xlm_core import config as configuration

GENERATED = {
    "stories": "{key}.txt.gz",
    "translations": "{key}.txt.zip",
    "news": "{key}.txt.gz",
    "bitext": "{key}.txt.zip",
    "tests": "dev.tgz",
    "dictionaries": "{key}.txt",
    "similarity": "{key}-SEMEVAL17.txt",
    "evaluation": "XNLI-1.0.zip",
    "training": "XNLI-MT-1.0.zip",
    "glue": "{key}",
}  # collection of the microworld, or its archive of XNLI -> name of its files


def source(corpus):
    """The section that says where a corpus comes from: XNLI's archives, GLUE's tasks, and lists of words count as such."""
    archives = {"xnli_evaluation": CONFIG.xnli.evaluation, "xnli_training": CONFIG.xnli.training}
    archives |= {f"glue/{task}": origin for task, origin in glue_sources().items()}
    archives |= {f"embeddings_{name}": pairs for name, pairs in WORD_LISTS.items()}
    return archives.get(corpus) or CONFIG.corpora[corpus]


def glue_sources():
    """Task of GLUE -> the section that says where it comes from."""
    return CONFIG.glue.tasks if CONFIG.glue else {}


def glue_file(corpus, key):
    """What stands for the official file of that name in the address or path of a task of GLUE, or the name itself."""
    instead = getattr(source(corpus), "files", None)
    official = configuration.GLUE_FILES[corpus.removeprefix("glue/")] if instead else ()
    return dict(zip(official, instead or ())).get(key, key)


def microworld_file(collection, key):
    """What the microworld's generator calls the file of a language, a pair, the test sets or an XNLI archive."""
    name = GENERATED[key if collection == "xnli" else collection]
    return f"<results>/raw/microworld/{collection}/{name.format(key=key)}"


def microworld_files():
    """All that is generated, in the order in which the section names it."""
    return [microworld_file(*file.split("/")) for file in CONFIG.microworld.files]


def places(corpus, key):
    """The addresses or paths of one language or pair of a corpus: by year, and of each year by side."""
    return source(corpus).locations(key, glue_file(corpus, key))


def downloaded(url):
    """Where a download lies: as in a mirror, so that what several corpora share is fetched once."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def raw_files(corpus, key):
    """The files of one language or pair of a corpus: generated, downloaded, or where the user has them."""
    origin = source(corpus)
    if origin.microworld:
        return [microworld_file(origin.microworld, key)]
    if origin.url:
        return [f"<results>/raw/web/{downloaded(url)}" for url in places(corpus, key)]
    return places(corpus, key)


def raw_files_of(wildcards):
    return raw_files(wildcards.corpus, wildcards.key)


def corpora_and_keys():
    """All that raw files are read for: corpus and key."""
    keys = {name: corpus.keys for name, corpus in CONFIG.corpora.items()}
    keys |= {"xnli_evaluation": ["evaluation"], "xnli_training": ["training"]}
    keys |= {f"glue/{task}": configuration.GLUE_FILES[task] for task in glue_sources()}
    keys |= {f"embeddings_{name}": pairs.keys for name, pairs in WORD_LISTS.items()}
    return [(corpus, key) for corpus in keys for key in keys[corpus]]


def downloads():
    """place of a download -> its address, and the corpora and keys that read it."""
    found = {}
    for corpus, key in corpora_and_keys():
        for url in places(corpus, key) if source(corpus).url else ():
            found.setdefault(downloaded(url), (url, []))[1].append((corpus, key))
    return found


DOWNLOADS = downloads()


def url_of(wildcards):
    return DOWNLOADS[wildcards.place][0]


def known_of(wildcards, what):
    """A sum or a size that the configuration gives a file, by its key, or by its name where a key has several files."""
    name = Path(wildcards.place).name
    given = [(getattr(source(corpus), what), key) for corpus, key in DOWNLOADS[wildcards.place][1]]
    return next((table[one] for table, key in given for one in (name, key) if one in table), None)


def sha256_of(wildcards):
    return known_of(wildcards, "sha256")


def n_bytes_of(wildcards):
    return known_of(wildcards, "bytes")


def licence_of(wildcards):
    corpus, _ = DOWNLOADS[wildcards.place][1][0]
    return source(corpus).licence
