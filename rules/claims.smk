"""Claims, and whether our runs support them."""


rule test_claims:
    """Differences between systems over pretraining seeds and over test items, and the decision about each claim."""
    input:
        [path for test in claim_tests(PATHS) for paths in test["a_files"] + test["b_files"] for path in paths],
    output:
        "<results>/tables/claims.tidy.csv",
    log:
        "<logs>/test_claims.log",
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=retry_memory(4000),
        runtime=120,
    params:
        hypotheses=claim_tests(PATHS),
        code=code("workflow_scripts.test_claims"),
    message:
        "Testing the claims"
    script:
        "../workflow_scripts/test_claims.py"


rule make_claims_page:
    """The claims as a page and as a picture."""
    input:
        "<results>/tables/claims.tidy.csv",
    output:
        text=report(
            "<results>/tables/claims.md",
            caption="../docs/report/claims.rst",
            category="Claims",
            labels={"format": "text"},
        ),
        picture=report(
            "<results>/figures/claims.svg",
            caption="../docs/report/claims.rst",
            category="Claims",
            labels={"figure": "claims"},
        ),
    log:
        "<logs>/make_claims_page.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        name=CONFIG.name,
        code=code("workflow_scripts.make_claims_page"),
    message:
        "Making the page of claims"
    script:
        "../workflow_scripts/make_claims_page.py"
