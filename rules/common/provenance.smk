"""Provenance: the jobs and the sources behind a table."""

import functools

TABLES = {
    "xnli": "xnli_table",
    **({"retrieval": "xnli_table"} if retrieval_files() else {}),
    **{f"{table}_mt": f"{table}_mt_table" for table in ("unsupervised", "supervised") if plans_of(table)},
    **({"glue": "glue_table"} if CONFIG.glue else {}),
    **({"perplexity": "perplexity_table"} if CONFIG.perplexity else {}),
    **({"ablation": "ablation_table"} if CONFIG.ablation else {}),
    **({"embeddings": "embedding_table"} if CONFIG.embeddings else {}),
    **({"claims": "claims"} if CONFIG.claims else {}),
}  # table -> the target that makes it


def manifests(*tables):
    """What is behind each of these tables."""
    return [f"<results>/tables/{table}.manifest.json" for table in tables]


@functools.cache
def maker(file):
    """The rule that makes a file, and its wildcards; None for a file that the user has."""
    for one in workflow.rules:
        if one.is_producer(file):
            return one, tuple(one.get_wildcards(file).items())
    return None


def read_by(rule, wildcards):
    """The files that a job reads."""
    return list(map(str, rule.expand_input(dict(wildcards))[0]))


@functools.cache
def behind(rule, wildcards):
    """What stands behind a job, itself included, all the way up: the records of jobs, and the files it began with.

    It is Snakemake that is asked who makes what of what, so that this cannot differ from what is done.
    """
    record = rule.output.get("job")
    records, sources = [str(record.apply_wildcards(dict(wildcards)))] if record else [], []
    for file in read_by(rule, wildcards):
        made = maker(file)
        if made and made[0].input:
            more_records, more_sources = behind(*made)
            records += more_records
            sources += more_sources
        else:  # the user's own, downloaded or generated
            sources.append(file)
    return list(dict.fromkeys(records)), list(dict.fromkeys(sources))


def table_maker(wildcards):
    """The job that makes the numbers of a table."""
    return maker(f"results/{CONFIG.name}/tables/{wildcards.table}.tidy.csv")


def jobs_of_table(wildcards):
    """The records of all jobs behind a table."""
    return behind(*table_maker(wildcards))[0]


def results_of_table(wildcards):
    """The measured numbers that a table is made of; none where it is made of single items."""
    return [file for file in read_by(*table_maker(wildcards)) if file.endswith(".jsonl")]


def jobs_of_results(wildcards):
    """Results -> the records of the jobs behind them."""
    return {file: behind(*maker(file))[0] for file in results_of_table(wildcards)}


def sources_of_table(wildcards):
    """The files that a table began with: where each is, and where it is from."""
    return [described_source(file) for file in behind(*table_maker(wildcards))[1]]


def files_read(corpus, key):
    """The files of one language or pair of a corpus as they are read first; of given stores those of all shards."""
    if getattr(source(corpus), "format", None) != "store":
        return raw_files(corpus, key)
    return [file for shard in range(CONFIG.text.n_shards) for file in stores_of(corpus, key, shard).values()]


def described_source(file):
    """The path of a file, its origin, its licence, and of a download its address and its record."""
    if made := maker(file):
        place = dict(made[1]).get("place")
        if place not in DOWNLOADS:
            return {"path": file, "origin": "generated", "licence": "MIT"}
        url, readers = DOWNLOADS[place]
        licence, record = source(readers[0][0]).licence, work(f"downloads/{place}.json")
        return {"path": file, "origin": "downloaded", "licence": licence, "url": url, "record": record}
    licences = {path: source(one).licence for one, key in corpora_and_keys() for path in files_read(one, key)}
    return {"path": file, "origin": "local", "licence": licences.get(file, "")}
