"""Attestations: who vouches for which report, policy and evidence (docs/attestation.md)."""
