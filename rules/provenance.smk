"""What is behind each table: its input files, and the jobs that led to its numbers."""


rule make_manifest:
    """All that a table rests on: files and their sums, settings and code, libraries, hardware and time."""
    input:
        table="<results>/tables/{table}.tidy.csv",
        results=lambda wildcards: results_of_table(wildcards.table),
        jobs=lambda wildcards: JOBS.upstream(table_numbers(wildcards.table))[0],
    output:
        manifest=report(
            "<results>/tables/{table}.manifest.json",
            caption="../docs/report/provenance.rst",
            category="Provenance",
            labels={"table": "{table}", "format": "data"},
        ),
        page=report(
            "<results>/tables/{table}.manifest.html",
            caption="../docs/report/provenance.rst",
            category="Provenance",
            labels={"table": "{table}", "format": "page"},
        ),
    log:
        "<logs>/make_manifest/{table}.log",
    wildcard_constraints:
        table=one_of(TABLES),
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=240,  # a large file of the user's own is read once
    params:
        configuration=CONFIG.name,
        jobs=lambda wildcards: JOBS.upstream(table_numbers(wildcards.table))[0],
        jobs_of_results=lambda wildcards: {path: JOBS.upstream(path)[0] for path in results_of_table(wildcards.table)},
        sources=lambda wildcards: [PATHS.describe(path) for path in JOBS.upstream(table_numbers(wildcards.table))[1]],
        sums=work("sums"),
        code=code("workflow_scripts.make_manifest"),
    message:
        "Writing down what is behind the table {wildcards.table}"
    script:
        "../workflow_scripts/make_manifest.py"


rule provenance:
    """What is behind each table that is there: on the screen, and in the file that is named."""
    log:
        "<logs>/provenance.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        tables=TABLES,
        folder=f"{PATHS.results}/tables",
    message:
        "Showing what is behind the tables"
    script:
        "../workflow_scripts/provenance.py"
