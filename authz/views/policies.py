"""The policy endpoints."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from authz.models import PolicyAttachment, SecurityPolicy, SecurityPolicyVersion
from authz.policies import services
from authz.policies.dry_run import dry_run
from authz.views import policy_serializers as serializers
from intmod_site.api.preconditions import IF_MATCH, etag, expected_version


class PolicyFilter(django_filters.FilterSet):
    """By name."""

    name = django_filters.CharFilter()

    class Meta:
        model = SecurityPolicy
        fields: list[Any] = []


class PolicyViewSet(ProjectViewSet):
    """The project's security policies."""

    queryset = SecurityPolicy.objects.all()
    serializer_class = serializers.PolicyAnswer
    filterset_class = PolicyFilter
    keyset = ("name",)
    permissions = {
        "list": "authz.view_securitypolicy",
        "retrieve": "authz.view_securitypolicy",
        "evaluate": "authz.view_securitypolicy",
        "create": "authz.add_securitypolicy",
        "partial_update": "authz.change_securitypolicy",
        "destroy": "authz.delete_securitypolicy",
    }

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one policy; its ETag goes into If-Match of a change."""
        return _answer(self.get_object())

    @extend_schema(request=serializers.PolicyWrite, responses={201: serializers.PolicyAnswer})
    def create(self, request: Request) -> Response:
        """Create a policy; it is enforced where it is attached."""
        policy = services.create_policy(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.PolicyWrite),
        )
        return _answer(policy, status=201)

    @extend_schema(
        request=serializers.PolicyChange, responses=serializers.PolicyAnswer, parameters=[IF_MATCH]
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a policy; other rules are its next version, enforced from the next call on."""
        policy = services.update_policy(
            actor=self.principal.actor,
            policy=self.get_object(),
            changes=self.validated(serializers.PolicyChange),
            expected_version=expected_version(request._request),
        )
        return _answer(policy)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete a policy that is attached to nothing."""
        services.delete_policy(actor=self.principal.actor, policy=self.get_object())
        return Response(status=204)

    @extend_schema(request=serializers.EvaluateRequest, responses=serializers.EvaluateAnswer)
    def evaluate(self, request: Request, pk: UUID) -> Response:
        """Say what the policy would decide; nothing happens and nothing is recorded."""
        policy = self.get_object()
        decision, not_judged = dry_run(policy, self.validated(serializers.EvaluateRequest))
        answer = {
            "allowed": decision.allowed,
            "reasons": decision.reasons,
            "policy_version": policy.version,
            "not_judged": not_judged,
        }
        return Response(serializers.EvaluateAnswer(answer).data)


class OfPolicy(ProjectViewSet):
    """Views of what belongs to the policy named in the URL."""

    def policy(self) -> SecurityPolicy:
        """Give the policy, or answer 404."""
        rows = SecurityPolicy.objects.in_project(self.principal.project_id)
        return get_object_or_404(rows, pk=self.kwargs["policy_id"])

    def get_queryset(self) -> QuerySet[Any]:
        """Only what belongs to the policy in the URL."""
        return super().get_queryset().filter(policy_id=self.kwargs.get("policy_id"))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one page."""
        self.policy()
        return super().list(request, *args, **kwargs)


class PolicyVersionViewSet(OfPolicy):
    """Every version that a policy had, newest first."""

    queryset = SecurityPolicyVersion.objects.all()
    serializer_class = serializers.PolicyVersionAnswer
    keyset = ("-number",)
    permissions = {"list": "authz.view_securitypolicy"}


class PolicyAttachmentViewSet(OfPolicy):
    """What a policy is enforced on."""

    queryset = PolicyAttachment.objects.all()
    serializer_class = serializers.AttachmentAnswer
    keyset = ("id",)
    permissions = {
        "list": "authz.view_securitypolicy",
        "create": "authz.change_securitypolicy",
        "destroy": "authz.change_securitypolicy",
    }

    @extend_schema(
        request=serializers.AttachmentWrite, responses={201: serializers.AttachmentAnswer}
    )
    def create(self, request: Request, policy_id: UUID) -> Response:
        """Enforce the policy on something, from the next call on."""
        attachment = services.attach_policy(
            actor=self.principal.actor,
            policy=self.policy(),
            **self.validated(serializers.AttachmentWrite),
        )
        return Response(serializers.AttachmentAnswer(attachment).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, policy_id: UUID, pk: UUID) -> Response:
        """Enforce it there no more."""
        attachment = get_object_or_404(
            self.get_queryset().select_related("policy", "project"), pk=pk
        )
        services.detach_policy(actor=self.principal.actor, attachment=attachment)
        return Response(status=204)


def _answer(policy: SecurityPolicy, *, status: int = 200) -> Response:
    headers = {"ETag": etag(policy.version)}
    return Response(serializers.PolicyAnswer(policy).data, status=status, headers=headers)
