"""Translation: what a translator reads, what it says, and what is compared."""

from xlm_core.languages import direction_key
from xlm_core.workflow import experiments


def plan_of(wildcards):
    return TRANSLATORS[wildcards.translator]


def translator_inputs(wildcards):
    """What a translator learns from, is validated on, and begins with; a run that learned nothing gives it nothing."""
    plan = plan_of(wildcards)
    path = training_store(plan.setup)
    inputs = {f"train_{lang}": monolingual_files(plan.setup, lang, path) for lang in translator_texts(wildcards)}
    inputs["pairs"] = stored_pairs(plan)
    inputs["valid"] = validation_text(plan.pair)
    inputs["vocabulary"] = vocabulary_file(plan.setup)
    for half, run in (("encoder", plan.encoder), ("decoder", plan.decoder)):
        if CONFIG.runs[run].has_learned:
            inputs[half] = f"<results>/runs/{plan.setup}/{run}/{wildcards.seed}/model.safetensors"
    return inputs


def translator_texts(wildcards):
    """The languages whose text a translator reads."""
    return sorted({one.target for one in plan_of(wildcards).objectives if one.kind != "mt"})


def translator_languages(wildcards):
    return CONFIG.setup(plan_of(wildcards).setup).languages


def translator_objectives(wildcards):
    return [plain(objective) for objective in plan_of(wildcards).objectives]


def translator_model(wildcards):
    return plain(CONFIG.setup(plan_of(wildcards).setup).model)


def translator_text(wildcards):
    """How the text of a translator is to be prepared, by whoever uses it."""
    return letters(plan_of(wildcards).setup)


def translator_training(wildcards):
    plan = plan_of(wildcards)
    if plan.table == "unsupervised":
        return plain(CONFIG.translation.unsupervised.training)
    return plain(CONFIG.translation.supervised.training_of(len(plan.objectives)))


def validation_text(pair):
    """The tokenized validation set of a pair."""
    sets = CONFIG.translation.pairs[pair]
    return f"<results>/tokens/{CONFIG.text_of(sets.setup)}/{sets.valid}/{pair}/0.tsv"


def raw_test_text(pair):
    """The raw test set of a pair."""
    return f"<results>/text/{CONFIG.translation.pairs[pair].test}/{pair}/0.tsv"


def test_text(wildcards):
    return raw_test_text(plan_of(wildcards).pair)


def all_test_sets():
    """Validation and test sets of all pairs that are translated."""
    pairs = CONFIG.translation.pairs if CONFIG.translation else ()
    return [file for pair in pairs for file in (validation_text(pair), raw_test_text(pair))]


def plans_of(table):
    """translator -> plan, for those of a table."""
    return {name: plan for name, plan in TRANSLATORS.items() if plan.table == table}


def seeds_of(table):
    return experiments.seeds(CONFIG, plans_of(table).values())


def translation_decoding(wildcards):
    return plain(CONFIG.translation.decoding)


def translation_cell(wildcards):
    """The cell of the tables that a score fills."""
    plan = plan_of(wildcards)
    cell = zip(("system", "setting", "column"), plan.cell((wildcards.source, wildcards.target)), strict=True)
    return {"table": f"{plan.table}_mt", **dict(cell)}


def translation_results(wildcards):
    """The scores of a table."""
    path = "<results>/results/translation/{translator}/{seed}/{direction}.jsonl"
    return [
        file
        for name, plan in plans_of(wildcards.table).items()
        for file in expand(path, translator=name, seed=seeds_of(wildcards.table), direction=direction_keys(plan))
    ]


def direction_keys(plan):
    """The directions that a translator is tested in, as file names have them."""
    return [direction_key(*direction) for direction in plan.directions]


def said(translator, seed, direction, part):
    """The lines of a test set, of its translations by people, or of what a translator said."""
    return f"<results>/translations/{translator}/{seed}/{direction_key(*direction)}/{part}.txt"


def comparisons(wildcards):
    """EncoderDecoder, direction, the translator it is compared with, and the seed: for all cells of a table but the first."""
    compared = experiments.compared(plans_of(wildcards.table))
    return [(*one, seed) for one in compared for seed in seeds_of(wildcards.table)]


def compared_cells(wildcards):
    """Of each comparison the cell, and the row of its baseline."""
    cells = []
    for name, direction, other, seed in comparisons(wildcards):
        row, setting, column = TRANSLATORS[name].cell(direction)
        baseline = {"minus_row": TRANSLATORS[other].system, "minus_setting": TRANSLATORS[other].setting}
        cells.append({"row": row, "setting": setting, "column": column, "seed": str(seed), **baseline})
    return cells


def compared_statistics(wildcards):
    """The statistics of BLEU of both sides of each comparison."""
    path = "<results>/results/translation/{}/{}/{}.items.json"
    compared = comparisons(wildcards)
    return {
        "systems": [path.format(name, seed, direction_key(*direction)) for name, direction, _, seed in compared],
        "baselines": [path.format(other, seed, direction_key(*direction)) for _, direction, other, seed in compared],
    }


def labels_of_rows(wildcards):
    """Run of an encoder, or row of the supervised table -> its label."""
    if wildcards.table == "supervised":
        return experiments.row_labels(CONFIG)
    return {plan.encoder: CONFIG.runs[plan.encoder].label for plan in plans_of("unsupervised").values()}


def rows_of(wildcards):
    """The rows of a table, row and setting, each once."""
    rows = dict.fromkeys((plan.system, plan.setting) for plan in plans_of(wildcards.table).values())
    return [list(row) for row in rows]


def columns_of(wildcards):
    """The columns of a table, each once."""
    cells = (plan.cell(direction) for plan in plans_of(wildcards.table).values() for direction in plan.directions)
    return list(dict.fromkeys(column for _, _, column in cells))


def labels_of_translators(wildcards):
    """translator -> what its curve is called."""
    return {name: plan.label for name, plan in plans_of(wildcards.table).items()}


def translator_histories(wildcards):
    """translator -> the logs of its training, one per seed."""
    path = "<results>/translators/{translator}/{seed}/history.jsonl"
    return {name: expand(path, translator=name, seed=seeds_of(wildcards.table)) for name in plans_of(wildcards.table)}


def sampled(wildcards):
    """direction -> the first and the last translator of a table that were tested in it."""
    of = {}
    for name, plan in plans_of(wildcards.table).items():
        for direction in plan.directions:
            of.setdefault(direction, []).append(name)
    return {direction: list(dict.fromkeys((names[0], names[-1]))) for direction, names in of.items()}


def sampled_labels(wildcards):
    """direction -> what the translators that are shown are called."""
    labels = labels_of_translators(wildcards)
    chosen = sampled(wildcards).items()
    return {direction_key(*direction): [labels[name] for name in names] for direction, names in chosen}


def sampled_translations(wildcards):
    """Of each direction sources, references, and what the translators say, with their first seed."""
    seed = seeds_of(wildcards.table)[0]
    files = []
    for direction, names in sampled(wildcards).items():
        files += [said(names[0], seed, direction, part) for part in ("sources", "references")]
        files += [said(name, seed, direction, "hypotheses") for name in names]
    return files


def shown_of(table):
    """All that is shown of a table of translation."""
    return [
        *table_files(f"{table}_mt"),
        f"<results>/figures/{table}_curves.svg",
        f"<results>/tables/{table}_samples.html",
    ]
