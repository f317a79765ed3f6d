"""Word embeddings across languages (paper, section 5.5 and Table 5), and a map of words and their translations."""

if CONFIG.embeddings:

    rule extract_word_pairs:
        """A dictionary, or rated pairs of words, tokenized as the text is that vectors are learned on."""
        input:
            lambda wildcards: PATHS.files(f"embeddings.{wildcards.list}", wildcards.direction),
        output:
            words="<results>/words/{list}/{direction}.tsv",
            statistics="<results>/words/{list}/{direction}.statistics.json",
        log:
            "<logs>/extract_word_pairs/{list}.{direction}.log",
        conda:
            "../envs/text.yaml"
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            source="word_pairs",
            text=normalization_params(CONFIG.embeddings.setup),
            code=code("workflow_scripts.extract.extract_word_pairs"),
        message:
            "Extracting words ({wildcards.list}, {wildcards.direction})"
        script:
            "../workflow_scripts/extract.py"

    rule train_word_vectors:
        """Skip-gram vectors of words: of one language, for MUSE, or of the text of all languages together (Concat)."""
        input:
            unpack(
                lambda wildcards: PATHS.monolingual_tokens(
                    CONFIG.embeddings.setup, PATHS.word_vector_languages(wildcards.langset)
                )
            ),
        output:
            vectors="<results>/vectors/{langset}/{seed}.bin",
            job="<results>/vectors/{langset}/{seed}.job.json",
        log:
            "<logs>/train_word_vectors/{langset}.{seed}.log",
        benchmark:
            "<benchmarks>/train_word_vectors/{langset}.{seed}.tsv"
        conda:
            "../envs/torch.yaml"
        threads: CONFIG.embeddings.vectors.threads
        resources:
            mem_mb=retry_memory(word_vector_memory),
            runtime=7200,
        params:
            unit="words",
            vectors=params_of(CONFIG.embeddings.vectors, "threads"),
            corpus_keys=lambda wildcards: PATHS.monolingual_keys(
                CONFIG.embeddings.setup, PATHS.word_vector_languages(wildcards.langset)
            ),
            attempts=work("jobs/train_word_vectors/{langset}.{seed}.json"),
            code=code("workflow_scripts.train_word_vectors.train_word_vectors"),
        message:
            "Training vectors of words ({wildcards.langset}), seed {wildcards.seed}"
        script:
            "../workflow_scripts/train_word_vectors.py"

    rule score_embeddings:
        """Every measure of every row, on the words that all of them have vectors for."""
        input:
            unpack(
                lambda wildcards: {
                    f"vectors_{langset}": PATHS.word_vectors(langset, wildcards.seed)
                    for langset in (
                        *CONFIG.embeddings.languages,
                        *(["all"] if "concat" in CONFIG.embeddings.systems else []),
                    )
                }
            ),
            **PATHS.word_lists(),
            models=lambda wildcards: [
                PATHS.model(CONFIG.embeddings.setup, run, wildcards.seed) for run in embedding_runs(wildcards)
            ],
            vocabulary=PATHS.vocabulary(CONFIG.embeddings.setup),
        output:
            results="<results>/results/embeddings/{seed}.jsonl",
            statistics="<results>/results/embeddings/{seed}.statistics.json",
            job="<results>/results/embeddings/{seed}.job.json",
        log:
            "<logs>/score_embeddings/{seed}.log",
        conda:
            "../envs/torch.yaml"
        threads: CONFIG.embeddings.vectors.threads
        resources:
            # all models and vectors, copies of what is compared, and their similarities by the part
            mem_mb=lambda wildcards, input, attempt: (2000 + 6 * int(input.size_mb)) * 2 ** (attempt - 1),
            runtime=720,
        params:
            rows=CONFIG.embeddings.systems,
            runs=embedding_runs,
            languages=CONFIG.embeddings.languages,
            lists={name: pairs.keys for name, pairs in CONFIG.embeddings.lists.items()},
            vectors=params_of(CONFIG.embeddings.vectors, "threads"),
            refinement=params_of(CONFIG.embeddings.refinement),
            candidates=CONFIG.embeddings.candidates,
            cell={"table": "embeddings", "system": "", "setting": ""},
            attempts=work("jobs/score_embeddings/{seed}.json"),
            code=code("workflow_scripts.score_embeddings"),
        message:
            "Scoring the word embeddings of seed {wildcards.seed}"
        script:
            "../workflow_scripts/score_embeddings.py"

    use rule make_ablation_table as make_embedding_table with:
        """How well translations are aligned and similarities found, beside the published numbers."""
        input:
            results=expand("<results>/results/embeddings/{seed}.jsonl", seed=CONFIG.seeds.pretraining),
            filter_statistics=filter_statistics(PATHS, "embeddings"),
        output:
            **table_outputs("embeddings", "Word embeddings", differences=False),
        log:
            "<logs>/make_embedding_table.log",
        localrule: True
        params:
            table=describe("embeddings", CONFIG),
        message:
            "Making the table of word embeddings"


if CONFIG.embeddings and CONFIG.embeddings.alignment_figure:

    rule project_words:
        """Where words and their translations stand on a map of each model's input embeddings (t-SNE)."""
        input:
            models=[
                PATHS.model(CONFIG.embeddings.setup, run, CONFIG.pretraining_seeds(run)[0])
                for run in CONFIG.embeddings.alignment_figure.runs
            ],
            vocabulary=PATHS.vocabulary(CONFIG.embeddings.setup),
            dictionaries=expand(
                "<results>/words/dictionary/{direction}.tsv", direction=CONFIG.embeddings.alignment_figure.directions
            ),
            texts=[
                PATHS.word_vectors(language, CONFIG.seeds.pretraining[0])
                for language in CONFIG.embeddings.alignment_figure.languages
            ],
        output:
            "<results>/figures/alignment.json",
        log:
            "<logs>/project_words.log",
        conda:
            "../envs/torch.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            figure=params_of(CONFIG.embeddings.alignment_figure),
            code=code("workflow_scripts.project_words"),
        message:
            "Placing words on a map"
        script:
            "../workflow_scripts/project_words.py"

    use rule plot_objectives as plot_alignment with:
        """Words and their translations on the map of each model."""
        input:
            "<results>/figures/alignment.json",
        output:
            svg=report(
                "<results>/figures/alignment.svg",
                caption="../docs/report/alignment.rst",
                category="Word embeddings",
                labels={"figure": "map of words"},
            ),
            png="<results>/figures/alignment.png",
        log:
            "<logs>/plot_alignment.log",
        localrule: True
        params:
            figure="alignment",
            labels=[CONFIG.runs[run].label for run in CONFIG.embeddings.alignment_figure.runs],
            code=code("xlm_core.report.plots.alignment.plot"),
        message:
            "Drawing the map of words"
