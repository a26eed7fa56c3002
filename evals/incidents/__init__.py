"""Sample incidents: a simulated shop in a simulated cluster, broken on purpose and recorded.

`folder.make_incidents` writes them in the layout of ITBench-AA. A plan says what goes wrong; the
simulation lets everything else follow from the cluster's objects; the snapshot writes down what each
source of telemetry would have shown.
"""
