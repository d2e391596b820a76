"""The conventions every answer of the API keeps: envelope, errors, strict JSON, paging, schema."""
