"""Faults of a Deployment's pod template: image, environment, command, node selector."""

from __future__ import annotations

from dataclasses import replace

from evals.incidents.cluster import ADDRESS_VARIABLES, REGISTRY, RELEASE, WORKLOADS, Labels, PodTemplate
from evals.incidents.faults.model import SINGLE, Fault, Scene, Story, workload_entities
from evals.incidents.world import Change, World

MISADDRESSED = (
    ("shipping", "quote"), ("checkout", "kafka"), ("checkout", "payment"), ("checkout", "email"),
    ("checkout", "currency"), ("frontend", "ad"), ("frontend", "recommendation"), ("frontend", "shipping"),
    ("recommendation", "product-catalog"), ("cart", "valkey-cart"), ("product-reviews", "postgresql"),
    ("accounting", "postgresql"), ("accounting", "kafka"), ("fraud-detection", "kafka"),
)  # fmt: skip


def _template_fault(kind: str, scene: Scene, name: str, changed: PodTemplate, story: Story) -> Fault:
    deployment, pod, _ = workload_entities(name)

    def change(world: World, now: float) -> None:
        world.set_template(name, changed, now)

    return Fault(kind, name, scene.second, (Change(scene.second, change),), deployment, (pod,), story)


def bad_image(scene: Scene) -> Fault:
    name = scene.victim((*SINGLE, "product-catalog", "cart") if scene.subtle else SINGLE)
    middle = max(1, len(name) // 2)
    image = scene.dice.pick(
        (f"{REGISTRY}:{RELEASE}-{name[:middle]}{name[middle - 1:]}",
         f"{REGISTRY}:{RELEASE}{scene.dice.whole(1, 9)}-{name}",
         f"{REGISTRY.replace('demo', 'demo-app')}:{RELEASE}-{name}")
    )  # fmt: skip
    story = Story(
        "Change",
        "nonexistent-kubernetes-workload-container-image",
        f"Deployment {name} refers to the image {image}, which does not exist",
        f"{name} pods stay in ImagePullBackOff",
        (f"Set the image of the {name} deployment back to one that exists",),
    )
    return _template_fault("bad_image", scene, name, replace(WORKLOADS[name].template, image=image), story)


def wrong_environment(scene: Scene) -> Fault:
    caller, callee = scene.edge(MISADDRESSED)
    template = WORKLOADS[caller].template
    variable = ADDRESS_VARIABLES[caller, callee]
    right = template.variable(variable) or ""
    wrong = _wrong_address(scene, right, callee)
    env: Labels = tuple((key, wrong if key == variable else value) for key, value in template.env)
    story = Story(
        "Change",
        "modified-kubernetes-workload-container-environment-variable",
        f"{variable} of deployment {caller} is set to {wrong}, which does not lead to {callee}",
        f"{caller} pods cannot reach {callee}",
        (f"Find the right address of {callee}", f"Set {variable} of the {caller} deployment to {right}"),
    )
    return _template_fault("wrong_environment", scene, caller, replace(template, env=env), story)


def _wrong_address(scene: Scene, right: str, callee: str) -> str:
    port = str(WORKLOADS[callee].port)
    if not scene.subtle:
        return right.replace(port, scene.dice.pick(("0000", "9999", "1")))
    near = str(WORKLOADS[callee].port + scene.dice.pick((1, 10, 2)))
    return scene.dice.pick((right.replace(port, near), right.replace(callee, f"{callee}-service")))


def wrong_command(scene: Scene) -> Fault:
    name = scene.victim([victim for victim in SINGLE if victim != "image-provider"])
    command = scene.dice.pick(
        ((f"./{name}-server",), ("/usr/local/bin/run-service", name), ("/bin/sh", "-c", "/opt/start.sh"))
    )
    effect = f"{name} containers end as soon as they are started"
    if scene.subtle:
        command = ("/bin/sh", "-c", "sleep infinity")
        effect = f"{name} pods run and look healthy, but nothing in them listens"
    story = Story(
        "Change",
        "invalid-kubernetes-workload-container-command",
        f"The command of deployment {name} is overridden with {' '.join(command)}",
        effect,
        (f"Remove the command from the {name} deployment",),
    )
    return _template_fault(
        "wrong_command", scene, name, replace(WORKLOADS[name].template, command=command), story
    )


def node_selector(scene: Scene) -> Fault:
    name = scene.victim(SINGLE)
    plain = (("disktype", "nvme"), ("node-pool", "gpu"), ("kubernetes.io/hostname", "worker-9"))
    near = (("kubernetes.io/arch", "arm64"), ("topology.kubernetes.io/zone", "zone-d"))
    label = scene.dice.pick(near if scene.subtle else plain)
    changed = replace(WORKLOADS[name].template, node_selector=(label,))
    story = Story(
        "Change",
        "nonexistent-kubernetes-workload-node",
        f"Deployment {name} wants nodes with {label[0]}={label[1]}, and there are none",
        f"{name} pods cannot be scheduled and stay Pending",
        (f"Remove the node selector from the {name} deployment", "or label a node accordingly"),
    )
    return _template_fault("node_selector", scene, name, changed, story)
