from rich.progress import Task

from splitpose import progress


def test_items_come_through_in_order(capsys):
    assert list(progress.track(iter("abc"), "letters", total=3, unit="letters")) == ["a", "b", "c"]
    assert "letters" in capsys.readouterr().out


def test_rate_counts_the_size_of_a_step(monkeypatch):
    monkeypatch.setattr(Task, "speed", property(lambda self: 2.5))
    task = Task(0, "", 10, 0, _get_time=lambda: 0.0)
    assert str(progress.Rate("crops", 32).render(task)) == "80 crops/s"
    monkeypatch.setattr(Task, "speed", property(lambda self: None))
    assert str(progress.Rate("crops", 32).render(task)) == ""
