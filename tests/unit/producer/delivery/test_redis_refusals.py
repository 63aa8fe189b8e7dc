from __future__ import annotations

import pytest
import redis
from redis._parsers import _RESP2Parser

from producer.delivery.redis_refusals import RedisRefuses, is_away, refusal

REFUSALS = [
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "READONLY You can't write against a read only replica.",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "NOREPLICAS Not enough good replicas to write.",
    "LOADING Redis is loading the dataset in memory",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "BUSY Redis is busy running a script.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write against a read only replica.",
]
NO_REFUSALS = [
    "ERR unknown command 'BUSYBODY'",
    "BUSYGROUP Consumer Group name already exists",
    "NOSCRIPT No matching script",
]


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_refusal_that_passes_is_waited_for(reply: str) -> None:
    error = _RESP2Parser.parse_error(reply)
    assert is_away(error)
    code = reply.removeprefix("ERR ").split()[0]
    assert (refusal(error) or "").startswith(code)
    assert refusal(RedisRefuses(reply)) == reply


@pytest.mark.parametrize("reply", NO_REFUSALS)
def test_what_does_not_pass_is_not(reply: str) -> None:
    error = _RESP2Parser.parse_error(reply)
    assert refusal(error) is None
    assert not is_away(error)


@pytest.mark.parametrize(
    "reply",
    [
        "NOPERM this user has no permissions to run the 'zadd' command",
        "WRONGTYPE Operation against a key holding the wrong kind of value",
    ],
)
def test_what_a_person_must_repair_is_no_refusal_that_passes_and_waited_for_by_who_runs(reply: str) -> None:
    error = _RESP2Parser.parse_error(reply)
    assert refusal(error) is None
    assert is_away(error)


def test_one_that_is_away_is_waited_for_and_other_errors_are_not() -> None:
    assert is_away(redis.ConnectionError("refused"))
    assert is_away(redis.TimeoutError("hangs"))
    assert not is_away(ValueError("READONLY"))
