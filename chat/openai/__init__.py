"""
A door that speaks like OpenAI: `/v1/chat/completions` and `/v1/models`, for programs that know
that API and shall be served by whichever language model is well.

https://platform.openai.com/docs/api-reference/chat/create
"""
