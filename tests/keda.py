"""KEDA's kinds as a strict JSON Schema: only the fields of its documentation, and of triggers only Redis lists.

KEDA's own definitions take any metadata of a trigger: a misspelt `listName` would show in the cluster only. From
https://keda.sh/docs/2.17/ (reference/scaledobject-spec, scalers/redis-lists, concepts/authentication). Of what is
allowed here, `activationListLength` came with 2.8 and `unsafeSsl` with 2.10.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

NUMBER: Schema = {"type": "string", "pattern": "^[0-9]+$"}
"""KEDA's metadata are texts, numbers too."""
FLAG: Schema = {"enum": ["true", "false"]}
NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}


def exactly(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


METADATA = exactly({"name": NAME}, {"namespace": NAME, "labels": {"type": "object"}, "annotations": {"type": "object"}})

POLICY = exactly({"type": {"enum": ["Pods", "Percent"]}, "value": COUNT, "periodSeconds": COUNT})
RULES = exactly(
    {},
    {
        "stabilizationWindowSeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
        "selectPolicy": {"enum": ["Max", "Min", "Disabled"]},
        "policies": {"type": "array", "items": POLICY, "minItems": 1},
    },
)

REDIS_LIST = exactly(
    {
        "type": {"const": "redis"},
        "metadata": {
            **exactly(
                {"listName": TEXT, "listLength": NUMBER},
                {
                    "address": {"type": "string", "pattern": "^[^:/ ]+:[0-9]+$"},
                    "addressFromEnv": TEXT,
                    "host": TEXT,
                    "hostFromEnv": TEXT,
                    "port": NUMBER,
                    "portFromEnv": TEXT,
                    "usernameFromEnv": TEXT,
                    "passwordFromEnv": TEXT,
                    "activationListLength": NUMBER,
                    "databaseIndex": NUMBER,
                    "enableTLS": FLAG,
                    "unsafeSsl": FLAG,
                },
            ),
            "oneOf": [{"required": [each]} for each in ("address", "addressFromEnv", "host", "hostFromEnv")],
        },
    },
    {
        "name": TEXT,
        "useCachedMetrics": {"type": "boolean"},
        "metricType": {"enum": ["AverageValue", "Value"]},
        "authenticationRef": exactly(
            {"name": NAME}, {"kind": {"enum": ["TriggerAuthentication", "ClusterTriggerAuthentication"]}}
        ),
    },
)

SCALED_OBJECT = exactly(
    {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "metadata": METADATA,
        "spec": exactly(
            {
                "scaleTargetRef": exactly(
                    {"name": NAME}, {"apiVersion": TEXT, "kind": TEXT, "envSourceContainerName": NAME}
                ),
                "triggers": {"type": "array", "items": REDIS_LIST, "minItems": 1},
            },
            {
                "pollingInterval": {"type": "integer", "minimum": 1},
                "cooldownPeriod": COUNT,
                "initialCooldownPeriod": COUNT,
                "idleReplicaCount": {"const": 0},
                "minReplicaCount": COUNT,
                "maxReplicaCount": {"type": "integer", "minimum": 1},
                "fallback": exactly({"failureThreshold": COUNT, "replicas": COUNT}),
                "advanced": exactly(
                    {},
                    {
                        "restoreToOriginalReplicaCount": {"type": "boolean"},
                        "horizontalPodAutoscalerConfig": exactly(
                            {}, {"name": NAME, "behavior": exactly({}, {"scaleUp": RULES, "scaleDown": RULES})}
                        ),
                    },
                ),
            },
        ),
    }
)

PARAMETERS = ("address", "host", "port", "username", "password", "tls", "ca", "cert", "key", "keyPassword")
"""What the scaler of Redis lists may be told by a secret."""

TRIGGER_AUTHENTICATION = exactly(
    {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "TriggerAuthentication"},
        "metadata": METADATA,
        "spec": exactly(
            {
                "secretTargetRef": {
                    "type": "array",
                    "items": exactly({"parameter": {"enum": list(PARAMETERS)}, "name": NAME, "key": TEXT}),
                    "minItems": 1,
                }
            }
        ),
    }
)

KINDS: dict[str, Schema] = {"ScaledObject": SCALED_OBJECT, "TriggerAuthentication": TRIGGER_AUTHENTICATION}
