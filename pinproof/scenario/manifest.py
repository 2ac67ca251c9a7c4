"""A full `v1.Pod` manifest, as far as a scenario may hold one.

Fields typed as `Any` have no say in memory, CPUs or life cycle and are accepted as they are; fields that would have one
and are not listed are refused, so that nothing is silently ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr

from pinproof.scenario.fields import ContainerName, Document, PodName, QuantityText


class ManifestResources(Document):
    """`resources` of a container or a pod."""

    requests: dict[StrictStr, QuantityText] = Field(default_factory=dict)
    """Requests; a resource without one has its limit as request."""

    limits: dict[StrictStr, QuantityText] = Field(default_factory=dict)
    """Limits."""


class ManifestContainer(Document):
    """A container of a manifest. Fields typed as anything have no say in memory and are accepted as they are."""

    name: ContainerName
    resources: ManifestResources = ManifestResources()
    restart_policy: Annotated[Literal["Always"] | None, Field(alias="restartPolicy")] = None
    image: Any = None
    image_pull_policy: Annotated[Any, Field(alias="imagePullPolicy")] = None
    command: Any = None
    args: Any = None
    working_dir: Annotated[Any, Field(alias="workingDir")] = None
    env: Any = None
    env_from: Annotated[Any, Field(alias="envFrom")] = None
    ports: Any = None
    volume_mounts: Annotated[Any, Field(alias="volumeMounts")] = None
    security_context: Annotated[Any, Field(alias="securityContext")] = None
    termination_message_path: Annotated[Any, Field(alias="terminationMessagePath")] = None
    termination_message_policy: Annotated[Any, Field(alias="terminationMessagePolicy")] = None
    stdin: Any = None
    tty: Any = None


class ManifestMetadata(Document):
    """`metadata` of a manifest."""

    name: PodName
    namespace: Any = None
    labels: Any = None
    annotations: Any = None
    uid: Any = None
    creation_timestamp: Annotated[Any, Field(alias="creationTimestamp")] = None
    generate_name: Annotated[Any, Field(alias="generateName")] = None
    owner_references: Annotated[Any, Field(alias="ownerReferences")] = None
    resource_version: Annotated[Any, Field(alias="resourceVersion")] = None
    generation: Any = None
    managed_fields: Annotated[Any, Field(alias="managedFields")] = None


class ManifestSpec(Document):
    """`spec` of a manifest."""

    init_containers: Annotated[list[ManifestContainer], Field(alias="initContainers")] = Field(default_factory=list)
    containers: Annotated[list[ManifestContainer], Field(min_length=1)]
    restart_policy: Annotated[Literal["Always", "OnFailure", "Never"], Field(alias="restartPolicy")] = "Always"
    resources: ManifestResources = ManifestResources()
    """Pod-level resources: what the pod asks for as a whole."""

    volumes: Any = None
    node_name: Annotated[Any, Field(alias="nodeName")] = None
    node_selector: Annotated[Any, Field(alias="nodeSelector")] = None
    affinity: Any = None
    tolerations: Any = None
    scheduler_name: Annotated[Any, Field(alias="schedulerName")] = None
    priority: Any = None
    priority_class_name: Annotated[Any, Field(alias="priorityClassName")] = None
    preemption_policy: Annotated[Any, Field(alias="preemptionPolicy")] = None
    topology_spread_constraints: Annotated[Any, Field(alias="topologySpreadConstraints")] = None
    termination_grace_period_seconds: Annotated[Any, Field(alias="terminationGracePeriodSeconds")] = None
    dns_policy: Annotated[Any, Field(alias="dnsPolicy")] = None
    dns_config: Annotated[Any, Field(alias="dnsConfig")] = None
    host_network: Annotated[Any, Field(alias="hostNetwork")] = None
    host_pid: Annotated[Any, Field(alias="hostPID")] = None
    host_ipc: Annotated[Any, Field(alias="hostIPC")] = None
    hostname: Any = None
    subdomain: Any = None
    security_context: Annotated[Any, Field(alias="securityContext")] = None
    service_account: Annotated[Any, Field(alias="serviceAccount")] = None
    service_account_name: Annotated[Any, Field(alias="serviceAccountName")] = None
    automount_service_account_token: Annotated[Any, Field(alias="automountServiceAccountToken")] = None
    enable_service_links: Annotated[Any, Field(alias="enableServiceLinks")] = None
    image_pull_secrets: Annotated[Any, Field(alias="imagePullSecrets")] = None


class ManifestDocument(Document):
    """A full `v1.Pod` manifest."""

    api_version: Annotated[Literal["v1"], Field(alias="apiVersion")]
    kind: Literal["Pod"]
    metadata: ManifestMetadata
    spec: ManifestSpec
    status: Any = None
