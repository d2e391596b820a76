"""The names of the guide that the product grew out of; docs/concepts.md says where they are."""

SEED_NAMES = {
    "API design": (
        "APIResponse", "APIResponse.to_dict", "APIDesignFramework", "register_endpoint",
        "add_middleware", "add_validator", "handle_request", "validation_schema", "_validate_input",
        "AI_MODEL_ENDPOINTS", "DATABASE_ENDPOINTS", "WORKFLOW_ENDPOINTS", "INTEGRATION_ENDPOINTS",
    ),
    "Integrations": (
        "IntegrationConfig", "ExternalIntegration", "make_request", "_log_request_metrics", "close",
        "get_metrics", "WebhookIntegration", "send_webhook", "_generate_webhook_id",
        "_sign_webhook", "_log_webhook_failure", "SecureIntegrationManager.register_integration",
        "validate_integration_request", "_validate_field", "_log_audit", "audit_log",
        "IntegrationTestSuite", "add_test", "run_tests", "get_test_summary",
    ),
    "Models": (
        "ModelConfig", "ModelRegistry", "register_model", "get_model", "get_model_by_name",
        "list_models", "update_model_performance", "deactivate_model", "get_performance_history",
        "ModelPerformanceMonitor", "set_performance_threshold", "add_optimization_rule",
        "check_model_performance", "optimize_model",
    ),
    "Security": (
        "APIAuthentication", "generate_token", "validate_token", "revoke_token", "token_blacklist",
        "check_permission", "add_user_permission", "user_permissions", "security_policy",
    ),
}  # fmt: skip
