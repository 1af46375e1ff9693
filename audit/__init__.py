"""Proving the audit log: a program of its own, which imports nothing of ours and reads nothing but the records.

What it reads is described in docs/audit.md; so is every hash, for whoever would rather write a verifier themselves.
"""
