"""A configuration whose run takes a minute, for tests that disturb it."""


def reduced(settings: dict) -> dict:
    """The tiny configuration with two languages, one run, and XNLI alone; its training is long enough to be killed."""
    none = {"setups": {}, "parallel": {}, "claims": []}
    none |= dict.fromkeys(("translation", "glue", "embeddings", "perplexity", "ablation"))
    xnli = {key: settings["xnli"][key] for key in ("evaluation", "training", "finetuning")}
    optim = settings["pretraining"]["optim"] | {"max_updates": 800}
    return settings | none | {
        "languages": ["en", "fr"],
        "corpora": {"documents": {"format": "text", "keys": ["en", "fr"], "microworld": "documents"}},
        "monolingual": {"en": ["documents"], "fr": ["documents"]},
        "text": settings["text"] | {"n_shards": 1},
        "runs": {"mlm": settings["runs"]["mlm"]},
        "xnli": xnli | {"languages": ["en", "fr"], "runs": ["mlm"]},
        "pretraining": settings["pretraining"] | {"optim": optim, "eval_interval": 200},
        "checkpoint_minutes": 0.005,
    }  # fmt: skip
