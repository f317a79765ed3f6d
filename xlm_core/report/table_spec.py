"""What a table consists of: its rows, its columns, and which rows are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

RowKey = tuple[str, str]  # system and setting
ColumnKey = tuple[str, str]  # column and metric
SameSize = Literal["table", "setting", "nothing"]


@dataclass(frozen=True)
class RowSpec:
    """A row of a table: a system in a setting.

    label, setting_label  what they are called; by default by their names
    published      key and setting of the published row that it is compared with
    seeds          its pretraining seeds, where it has fewer than the others
    has_model_per_column  whether a model of its own is behind each column
    """

    system: str
    setting: str
    label: str = ""
    setting_label: str = ""
    published: Sequence[str] | None = None
    seeds: Sequence[int] | None = None
    has_model_per_column: bool = False

    @property
    def key(self) -> RowKey:
        """The fields of a result that put it into this row."""
        return self.system, self.setting

    @property
    def labels(self) -> tuple[str, str]:
        """What stands at the head of the row."""
        return self.label or self.system, self.setting_label or self.setting

    @property
    def title(self) -> str:
        """What the row is called in a sentence."""
        return ", ".join(self.labels)


@dataclass(frozen=True)
class ColumnSpec:
    """A column of a table: a metric of a language, a direction or a task; measured, or the mean of other columns.

    label          what stands above it
    title          what its items are called in the notes and in the tidy table; by default by its name
    mean_of        columns, measured or means named before it, that it is the mean of, seed by seed
    published      what the published table calls the column; None where it has none
    decimals       digits that are printed after the point
    is_shown       whether it is printed; the tidy table holds every column
    is_ranked      whether one row can be better than another
    is_signed      whether it is a difference
    lower_is_better  as of a perplexity
    same_size      which rows must be measured on equally many items: all, those of a setting, or none
    """

    name: str
    metric: str
    label: str
    mean_of: tuple[ColumnKey, ...] = ()
    title: str = ""
    published: str | None = None
    decimals: int = 1
    is_shown: bool = True
    is_ranked: bool = True
    is_signed: bool = False
    lower_is_better: bool = False
    same_size: SameSize = "table"

    @property
    def key(self) -> ColumnKey:
        """The fields of a result that put it into this column."""
        return self.name, self.metric

    @property
    def shown_title(self) -> str:
        """What its items are called."""
        return self.title or self.name


@dataclass(frozen=True)
class TableSpec:
    """What a table consists of.

    name           the ``table`` of its results
    rows, columns  in the order in which they are shown
    differences    rows of which the second is subtracted from the first, seed by seed
    label_header   what stands above the labels of a row
    unit, about_columns  what the numbers and the columns are, for the notes
    ranks_by_setting  whether a row is compared with those of its setting, or with all
    """

    name: str
    rows: tuple[RowSpec, ...]
    columns: tuple[ColumnSpec, ...]
    differences: tuple[tuple[RowSpec, RowSpec], ...]
    label_header: tuple[str, str] = ("system", "setting")
    unit: str = "Accuracy in percent"
    about_columns: str = ""
    ranks_by_setting: bool = True

    @property
    def shown(self) -> list[ColumnSpec]:
        """The columns of the printed table."""
        return [column for column in self.columns if column.is_shown]

    @property
    def measured(self) -> list[ColumnSpec]:
        """The columns that results fill."""
        return [column for column in self.columns if not column.mean_of]

    @property
    def tidy(self) -> list[ColumnSpec]:
        """The columns of the tidy table: those that are printed, then all other measured ones."""
        return [*self.shown, *(column for column in self.measured if not column.is_shown)]
