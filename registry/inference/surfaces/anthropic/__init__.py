"""Anthropic's messages API.

Source: https://platform.claude.com/docs/en/api/messages.
"""
