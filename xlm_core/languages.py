"""Languages and language pairs: their codes, their order, and how often each is drawn."""

from collections.abc import Mapping, Sequence

# A code of ISO 639, and what tells a variant, as in BCP 47 but with an underscore, because a hyphen joins the languages
# of a pair: pt_BR, zh_Hant, zh_min_nan. File names have it as it is.
CODE = r"[a-z]{2,3}(?:_[A-Za-z0-9]{2,8})*"

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fr": "French", "hi": "Hindi", "ne": "Nepali", "ro": "Romanian", "ru": "Russian", "sw": "Swahili",
    "th": "Thai", "tr": "Turkish", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

WRITTEN = {
    ("Latin",): "af als an ang ast az bar br bs ca ceb cs cy da de en eo es et eu fi fr fy ga gl hr hu ia id is it jv "
    "ku la lb lt lv ms nds nl nn no oc pl pt ro scn sco simple sk sl sq sv sw tl tr uz vi war zh_min_nan",
    ("Cyrillic",): "be bg kk mk mn ru tt uk",
    ("Cyrillic", "Latin"): "sh sr",
    ("Arabic",): "ar arz ckb fa ps ug ur",
    ("Devanagari",): "hi mr ne sa",
    ("Han",): "gan wuu zh zh_classical zh_yue",
    ("Han", "Hiragana", "Katakana"): "ja",
    ("Hangul", "Han"): "ko",
    ("Armenian",): "hy", ("Bengali",): "as bn", ("Ethiopic",): "am", ("Georgian",): "ka", ("Greek",): "el",
    ("Gujarati",): "gu", ("Gurmukhi",): "pa", ("Hebrew",): "he yi", ("Kannada",): "kn", ("Khmer",): "km",
    ("Lao",): "lo", ("Malayalam",): "ml", ("Myanmar",): "my", ("Sinhala",): "si", ("Tamil",): "ta", ("Telugu",): "te",
    ("Thai",): "th",
}  # fmt: skip
# Language -> the scripts it is written in, by their names in Unicode; of the Wikipedias that XLM-100 was trained on.
SCRIPTS = {language: scripts for scripts, languages in WRITTEN.items() for language in languages.split()}
# Subtag of a code -> the script that it names.
SCRIPT_SUBTAGS = {
    "Arab": "Arabic", "Cyrl": "Cyrillic", "Deva": "Devanagari", "Hans": "Han", "Hant": "Han", "Latn": "Latin",
}  # fmt: skip

# Languages that write no blanks between words and have no segmenter here -> characters of a word.
CHARACTERS_PER_WORD = {"bo": 6, "dz": 6, "ja": 2, "km": 6, "lo": 6, "my": 6}
RAW_CHARACTERS_PER_WORD = {**CHARACTERS_PER_WORD, "th": 5, "zh": 2}  # where text is not tokenized


def base_language(code: str) -> str:
    """The language of a code without its variant: ``pt_BR`` -> ``pt``."""
    return code.partition("_")[0]


def scripts_of(code: str) -> tuple[str, ...]:
    """The scripts that a language is written in, by their names in Unicode; none where they are not known."""
    named = tuple(SCRIPT_SUBTAGS[subtag] for subtag in code.split("_")[1:] if subtag in SCRIPT_SUBTAGS)
    return named or SCRIPTS.get(code) or SCRIPTS.get(base_language(code), ())


def is_pair(key: str) -> bool:
    """Whether ``key`` names a pair of languages (``de-en``) rather than one language (``de``)."""
    return "-" in key


def sides(key: str) -> tuple[str, ...]:
    """The languages of a key: ``de-en`` -> ``("de", "en")``, ``de`` -> ``("de",)``."""
    return tuple(key.split("-"))


def pair(first: str, second: str) -> str:
    """The key of a pair: its codes sorted and joined, whatever the direction."""
    return "-".join(sorted((first, second)))


def direction_key(source: str, target: str) -> str:
    """The key of a direction of translation, as file names and columns of tables have it: source, then target."""
    return f"{source}-{target}"


def language_ids(languages: Sequence[str]) -> dict[str, int]:
    """Ids of the language embeddings: the alphabetical order of the codes, as in the published models."""
    return {language: number for number, language in enumerate(sorted(languages))}


def smoothed(counts: Mapping[str, int], alpha: float) -> dict[str, float]:
    """Probability of drawing each language: q_i = p_i**alpha / sum_j p_j**alpha (paper, section 3.1).

    ``alpha = 1`` follows the data, ``alpha = 0`` draws every language equally often.
    """
    total = sum(counts.values())
    weights = {key: (count / total) ** alpha for key, count in counts.items()}
    scale = sum(weights.values())
    return {key: weight / scale for key, weight in weights.items()}
