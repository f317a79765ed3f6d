"""Work ahead of its use: the same values, made in the background, and errors where they are asked for."""

import threading

import pytest

from xlm_core.train.loop import prefetch


def test_values_are_those_of_the_function_and_none_is_made_at_or_after_the_end():
    made = []
    with prefetch(lambda number: made.append(number) or number**2, end=6) as squares:
        assert [squares(number) for number in range(6)] == [0, 1, 4, 9, 16, 25]
    assert made == [0, 1, 2, 3, 4, 5]


def test_the_next_values_are_made_while_the_first_is_used():
    third_was_begun = threading.Event()
    with prefetch(lambda number: number == 2 and third_was_begun.set(), end=10, depth=2) as work:
        work(0)
        assert third_was_begun.wait(timeout=10)


def test_the_work_is_done_on_another_thread():
    with prefetch(lambda _: threading.current_thread(), end=2) as threads:
        assert threads(0) is not threading.current_thread()
        assert threads(0) is threads(1)


def test_an_error_is_raised_where_its_value_is_asked_for():
    def fail_at_two(number):
        if number == 2:
            raise ValueError("two")
        return number

    with prefetch(fail_at_two, end=4) as work:
        assert [work(0), work(1)] == [0, 1]
        with pytest.raises(ValueError, match="two"):
            work(2)
        assert work(3) == 3


def test_leaving_the_block_ends_the_thread():
    with prefetch(lambda _: threading.current_thread(), end=100) as threads:
        thread = threads(0)
    assert not thread.is_alive()


def test_several_threads_make_the_same_values_at_the_same_time():
    together = threading.Barrier(3)

    def square(number):
        together.wait(timeout=10)  # fewer threads would wait in vain
        return number**2

    with prefetch(square, end=9, depth=4, workers=3) as squares:
        assert [squares(number) for number in range(9)] == [number**2 for number in range(9)]
