"""The groups of the annotation table that a model was trained or selected on, in a few kB.

The gate compares two models only on test instances whose group neither has seen. The record must therefore survive
with the model, when the annotation table that it was trained on no longer exists.

A group has been seen if any of its rows was in the split "train" or "val"; "val", because it selects the weights. A
source may divide a group between splits itself, as FLIC does with all of its films: of these groups, the images are
recorded. Three parts, which are united, keep the record short:

- a rule, where the split is drawn from a hash of the group: every group whose number is at least a limit;
- a list of hashes of groups and images;
- where the list would be long, the opposite one: everything but the listed groups and images, which were in "test".
  Groups that the source adds later then count as seen, which excludes them from a comparison without need.

Hashes in lists are the first 32 bits of SHA-256: a group that has not been seen is taken for one of n listed with a
probability of n / 2**32, which is 5e-7 for n = 2,000, and then excluded without need. A seen group is never taken
for an unseen one. The record of 100,000 people in 60,000 images has 0.1 kB with hash splits, and 11 kB with a given
test split of 2,700 images; FLIC's has 4 kB.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from splitpose.data.splits import split_numbers
from splitpose.errors import InputError
from splitpose.settings import CocoSource, Profile

INCOMING_PREFIX = "incoming/"
"""Beginning of the groups of instances in data/incoming/; the source's groups do not begin with it."""
SOURCE_PREFIX = ""
"""The prefix of rules and lists that concern the source's own groups."""

HASH_BYTES = 4
"""Length of a hash in a list."""
MAX_LISTED = 2000
"""Seen groups and images of one prefix that are listed; if there are more, the shorter of the two lists is used."""


@dataclass(frozen=True, order=True)
class SplitRule:
    """A rule of hash splits: the groups of a prefix count as seen if their number is at least `start`."""

    prefix: str
    seed: int
    start: float
    """The share of the groups, 0 to 1, that the test split takes."""

    def contains(self, groups: np.ndarray) -> np.ndarray:
        """Return for each of N groups whether it counts as seen: (N,) bool."""
        has_prefix = np.array([prefix_of(group) == self.prefix for group in groups], bool)
        return has_prefix & (split_numbers(groups, self.seed) >= self.start)


@dataclass(frozen=True)
class TrainingGroups:
    """The groups and images that a model has seen; `a | b` is what a model has seen that was initialised from b."""

    rules: tuple[SplitRule, ...] = ()
    listed: frozenset[int] = frozenset()
    """Hashes of seen groups, and of seen images of divided groups."""
    all_but: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """By prefix: hashes of the groups and images that have not been seen; all others of the prefix have."""
    complete: bool = True
    """False if a model that this one was initialised from has no record."""

    @classmethod
    def of(cls, table: "pd.DataFrame", profile: Profile) -> "TrainingGroups":
        """Return the groups that a training on the annotation table sees.

        A rule is used only if it agrees with the table: no group of the split "test" may be one of its groups.

        Args:
            table: N rows with the columns image, split and group.
            profile: settings, from which the table's splits were drawn.
        """
        record = cls()
        prefixes = table["group"].map(prefix_of)
        for prefix, rule in _split_rules(profile).items():
            record |= _record(table[prefixes == prefix], prefix, rule)
        return record

    def contains(self, table: "pd.DataFrame") -> np.ndarray:
        """Return for N rows with the columns image and group whether the model has seen them: (N,) bool."""
        groups = table["group"].to_numpy(str)
        seen = np.array([self._lists(*row) for row in zip(groups, table["image"], strict=True)], bool)
        for rule in self.rules:
            seen |= rule.contains(groups)
        return seen

    def __or__(self, other: "TrainingGroups") -> "TrainingGroups":
        """Return the union; nothing is stored twice."""
        starts: dict[tuple[str, int], float] = {}
        for rule in (*self.rules, *other.rules):
            key = rule.prefix, rule.seed
            starts[key] = min(rule.start, starts.get(key, rule.start))
        return TrainingGroups(
            rules=tuple(sorted(SplitRule(*key, start) for key, start in starts.items())),
            listed=self.listed | other.listed,
            all_but={
                prefix: self.all_but.get(prefix, unseen) & other.all_but.get(prefix, unseen)
                for prefix, unseen in sorted({**self.all_but, **other.all_but}.items())
            },
            complete=self.complete and other.complete,
        )

    def summary(self) -> str:
        """Return the record in one line, e.g. "32 groups or images are listed"."""
        parts = [
            *(f"{rule.prefix}*: hash with seed {rule.seed} of at least {rule.start:g}" for rule in self.rules),
            *([f"{len(self.listed):,} groups or images are listed"] if self.listed else []),
            *(f"{prefix}*: all but {len(unseen):,}" for prefix, unseen in self.all_but.items()),
            *([] if self.complete else ["incomplete: a model that training started from has no record"]),
        ]
        return "; ".join(parts) or "none"

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON; equal records have equal JSON."""
        return {
            "rules": [{"prefix": rule.prefix, "seed": rule.seed, "from": rule.start} for rule in self.rules],
            "listed": _encode(self.listed),
            "all_but": {prefix: _encode(hashes) for prefix, hashes in self.all_but.items()},
            "complete": self.complete,
        }

    @classmethod
    def from_json(cls, values: Any) -> "TrainingGroups":
        """Read the result of `to_json`.

        Raises:
            InputError: the values are not a record; the message is one line without the name of the file.
        """
        try:
            return cls(
                rules=tuple(
                    SplitRule(str(rule["prefix"]), int(rule["seed"]), float(rule["from"]))
                    for rule in values["rules"]
                ),
                listed=_decode(values["listed"]),
                all_but={str(prefix): _decode(text) for prefix, text in values["all_but"].items()},
                complete=values["complete"] is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
            raise InputError(f"the record of the training groups is damaged ({error!r})") from error

    def _lists(self, group: str, image: str) -> bool:
        """Return whether the group or the image has been seen according to the lists."""
        keys = {_group_hash(group), _image_hash(image)}
        unseen = self.all_but.get(prefix_of(group))
        return not keys.isdisjoint(self.listed) or (unseen is not None and keys.isdisjoint(unseen))


def prefix_of(group: str) -> str:
    """Return which groups a group belongs to: those in data/incoming/ or those of the source."""
    return INCOMING_PREFIX if group.startswith(INCOMING_PREFIX) else SOURCE_PREFIX


def _split_rules(profile: Profile) -> dict[str, SplitRule | None]:
    """Return by prefix the rule from which the splits were drawn, None if the source gives the test split."""
    source, seed = profile.source, profile.validation.seed
    rules: dict[str, SplitRule | None] = {
        SOURCE_PREFIX: None,
        INCOMING_PREFIX: SplitRule(INCOMING_PREFIX, seed, profile.incoming.test_fraction),
    }
    if isinstance(source, CocoSource) and "test" not in source.annotations:
        rules[SOURCE_PREFIX] = SplitRule(SOURCE_PREFIX, seed, source.test_fraction)
    return rules


def _record(rows: "pd.DataFrame", prefix: str, rule: SplitRule | None) -> TrainingGroups:
    """Return the record of the rows of one prefix."""
    is_test = rows["split"] == "test"
    test_groups, seen_groups = set(rows["group"][is_test]), set(rows["group"][~is_test])
    if rule and _covered(rule, test_groups):
        rule = None
    explained = _covered(rule, seen_groups) if rule else set()
    divided = test_groups & seen_groups
    is_divided = rows["group"].isin(divided)
    seen = _hashes(seen_groups - divided - explained, rows["image"][is_divided & ~is_test])
    unseen = _hashes(test_groups - divided, rows["image"][is_divided & is_test])
    rules = (rule,) if rule and explained else ()
    if rule is None and len(seen) > MAX_LISTED and len(unseen) < len(seen):
        # An image in both splits has been seen, and so has a group whose hash is that of another one.
        return TrainingGroups(all_but={prefix: unseen - _hashes(seen_groups, rows["image"][~is_test])})
    return TrainingGroups(rules=rules, listed=seen)


def _covered(rule: SplitRule, groups: set[str]) -> set[str]:
    """Return those of the groups that a rule contains."""
    names = np.array(sorted(groups), str)
    return set(names[rule.contains(names)].tolist())


def _hashes(groups: Iterable[str], images: Iterable[str]) -> frozenset[int]:
    return frozenset(map(_group_hash, groups)) | frozenset(map(_image_hash, set(images)))


def _group_hash(group: str) -> int:
    return _hash(f"group:{group}")


def _image_hash(image: str) -> int:
    return _hash(f"image:{image}")


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:HASH_BYTES], "big")


def _encode(hashes: frozenset[int]) -> str:
    """Return the sorted differences, compressed byte by byte: their leading bytes are mostly zero."""
    differences = np.diff(np.array(sorted(hashes), np.int64), prepend=0).astype(">u4")
    planes = differences.view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()


def _decode(text: str) -> frozenset[int]:
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), np.uint8).reshape(4, -1)
    differences = np.ascontiguousarray(planes.T).view(">u4").ravel()
    return frozenset(np.cumsum(differences, dtype=np.int64).tolist())
