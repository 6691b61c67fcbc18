"""What may lie where: `regions.toml`, read strictly."""

from diga_verify.policy.default import default_policy, write_default
from diga_verify.policy.explain import Explanation, explain
from diga_verify.policy.load import load_policy, parse_policy
from diga_verify.policy.rules import Allowed, Assumption, Expected, Label, NamedSet, Policy, Rules, Waiver
from diga_verify.policy.schema import policy_schema

__all__ = [
    "Allowed",
    "Assumption",
    "Expected",
    "Explanation",
    "Label",
    "NamedSet",
    "Policy",
    "Rules",
    "Waiver",
    "default_policy",
    "explain",
    "load_policy",
    "parse_policy",
    "policy_schema",
    "write_default",
]
