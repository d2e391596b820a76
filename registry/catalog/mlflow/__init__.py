"""The registry as MLflow's clients know it: /api/2.0/mlflow, unmodified clients included.

https://mlflow.org/docs/latest/rest-api.html and mlflow/protos/model_registry.proto, 3.x. Runs,
experiments, artifacts, prompts and webhooks are not served.
"""
