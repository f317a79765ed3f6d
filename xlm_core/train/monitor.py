"""What is looked at while a training runs: how long it will take, and whether it learns at all."""

import logging
import time
from collections.abc import Mapping
from datetime import timedelta

from xlm_core.config import Optim
from xlm_core.errors import TrainingError
from xlm_core.metrics.loss import LossSum
from xlm_core.train.state import TrainState

LOG = logging.getLogger(__name__)
MAX_SKIPPED_IN_ROW = 10
MEASURED = range(5, 20)  # updates of this process, the first few being slow, from which the whole time is estimated
NEARLY = 0.98  # share of the loss of a model that has learned nothing from which on nothing is learned


class ProgressMonitor:
    """Tells the estimated time once, and looks at every line of the log for a training that does not learn."""

    def __init__(self, first: int, optim: Optim, unlearned: Mapping[str, float]) -> None:
        """``first`` update of this process; ``unlearned``: name -> loss of a model that has learned nothing."""
        self._first = first
        self._optim = optim
        self._unlearned = dict(unlearned)
        self._begun = 0.0

    def log_remaining_time(self, state: TrainState) -> None:
        """Log, once after some updates, how long the others will take, evaluations not counted."""
        done = state.progress.update - self._first
        if done not in (MEASURED.start, MEASURED.stop):
            return
        int(state.skipped)  # waits for the device, which may be behind
        now = time.monotonic()
        if done == MEASURED.start:
            self._begun = now
            return
        left = self._optim.max_updates - state.progress.update
        seconds = (now - self._begun) / len(MEASURED)
        LOG.info("%.3g s per update: %s to go, evaluations apart", seconds, timedelta(seconds=round(seconds * left)))

    def check(self, state: TrainState, losses: Mapping[str, LossSum]) -> None:
        """Look at the losses since the last look.

        Raises:
            TrainingError: too many updates in a row were skipped because their loss was not finite.
        """
        update = state.progress.update
        in_row = int(state.skipped_in_row)
        if in_row >= MAX_SKIPPED_IN_ROW:
            raise TrainingError(
                f"update {update}: the loss was not finite for {in_row} updates in a row; expected a finite one: "
                f"lower the learning rate or lengthen the warm-up (learning_rate and warmup_updates under 'optim' of "
                f"pretraining and translation; learning_rates and warmup_ratio under 'finetuning')"
            )
        for name, loss in losses.items():
            level = self._unlearned.get(name, 0.0)
            if update > 2 * self._optim.warmup_updates and loss.mean_loss > NEARLY * level > 0:
                del self._unlearned[name]  # once is enough
                LOG.warning(
                    "update %d: the loss of %s is %.2f nats, that of guessing by frequency alone %.2f: the model "
                    "learns nothing from its input yet; if this stays, raise pretraining.batch_tokens, lengthen "
                    "the warm-up, or change the learning rate",
                    update,
                    name,
                    loss.mean_loss,
                    level,
                )
