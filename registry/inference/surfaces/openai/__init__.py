"""OpenAI's API: chat completions, embeddings, models.

Source: https://platform.openai.com/docs/api-reference.
"""
