"""The endpoints of optimization rules and their recommendations."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from intmod_site.api.fields import NoBody
from registry.models import OptimizationRule, Recommendation
from registry.monitoring import serializers
from registry.monitoring.optimization import recommendations, rules


class RuleViewSet(ProjectViewSet):
    """The project's rules."""

    queryset = OptimizationRule.objects.all()
    serializer_class = serializers.RuleAnswer
    permissions = {
        "list": "registry.view_optimizationrule",
        "retrieve": "registry.view_optimizationrule",
        "create": "registry.add_optimizationrule",
        "partial_update": "registry.change_optimizationrule",
        "destroy": "registry.delete_optimizationrule",
    }

    @extend_schema(request=serializers.RuleWrite, responses={201: serializers.RuleAnswer})
    def create(self, request: Request) -> Response:
        """Add a rule: the guide's add_optimization_rule."""
        row = rules.add_optimization_rule(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.RuleWrite),
        )
        return Response(serializers.RuleAnswer(row).data, status=201)

    @extend_schema(request=serializers.RuleChange, responses=serializers.RuleAnswer)
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Change a rule."""
        row = rules.update_rule(
            actor=self.principal.actor,
            rule=self.get_object(),
            changes=self.validated(serializers.RuleChange),
        )
        return Response(serializers.RuleAnswer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: Any) -> Response:
        """Remove a rule with its recommendations."""
        rules.delete_rule(actor=self.principal.actor, rule=self.get_object())
        return Response(status=204)


class RecommendationFilter(django_filters.FilterSet):
    """By state, rule or version."""

    state = django_filters.ChoiceFilter(choices=Recommendation.State.choices)
    rule = django_filters.CharFilter(field_name="rule__name")
    model_id = django_filters.CharFilter(field_name="version__identifier")

    class Meta:
        model = Recommendation
        fields: list[Any] = []


class RecommendationViewSet(ProjectViewSet):
    """What the rules recommended, newest first."""

    queryset = Recommendation.objects.select_related("rule", "version")
    serializer_class = serializers.RecommendationAnswer
    filterset_class = RecommendationFilter
    permissions = {
        "list": "registry.view_recommendation",
        "retrieve": "registry.view_recommendation",
        "accept": "registry.change_recommendation",
        "dismiss": "registry.change_recommendation",
        "apply": "registry.change_recommendation",
    }

    @extend_schema(request=None, responses=serializers.RecommendationAnswer)
    def accept(self, request: Request, pk: Any) -> Response:
        """Say that it will be done."""
        return self._decide(recommendations.accept)

    @extend_schema(request=None, responses=serializers.RecommendationAnswer)
    def dismiss(self, request: Request, pk: Any) -> Response:
        """Say that it will not be done."""
        return self._decide(recommendations.dismiss)

    @extend_schema(request=None, responses=serializers.RecommendationAnswer)
    def apply(self, request: Request, pk: Any) -> Response:
        """Do it; what it does needs the permission for that too."""
        return self._decide(recommendations.apply)

    def _decide(self, do: Any) -> Response:
        self.validated(NoBody)
        recommendation = self.get_object()
        if do is recommendations.apply:
            self.principal.require(
                NEEDED.get(recommendation.action, "registry.change_modelversion")
            )
        row = do(actor=self.principal.actor, recommendation=recommendation)
        return Response(serializers.RecommendationAnswer(row).data)


NEEDED = {
    OptimizationRule.Action.MOVE_ALIAS: "registry.change_modelalias",
    OptimizationRule.Action.SWITCH_PROVIDER: "registry.add_modelversion",
    OptimizationRule.Action.NOTIFY: "registry.change_recommendation",
}
"""What applying an action needs beyond deciding about recommendations."""
