"""A fake benchmark_model program that prints what the real one prints, with invented times."""

import os
import sys
import time
from pathlib import Path

flags = dict(word.removeprefix("--").split("=") for word in sys.argv[1:])
assert Path(flags["graph"]).is_file(), "no model was pushed"
threads = int(flags["num_threads"])
root = Path(os.environ["FAKE_ANDROID"])
(root / "running").touch()
if (root / "unplug_the_cable").exists():
    time.sleep(60)
if (root / "broken").exists():
    print("ERROR: Failed to allocate tensors!", file=sys.stderr)
    sys.exit(1)
runs = int(flags["num_runs"]) + int(1000 * float(flags.get("min_secs", 0)) / 4)
median = 4000 // threads
print(f"""INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Num threads: [{threads}]
INFO: Graph: [model.tflite]
INFO: Use xnnpack: [1]
INFO: Loaded model model.tflite
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
INFO: XNNPACK delegate created.
INFO: Explicitly applied XNNPACK delegate, and the model graph will be partially executed by the delegate w/ 2 \
delegate kernels.
INFO: The input model file size (MB): 0.012
INFO: Initialized session in 21.5ms.
INFO: Running benchmark for at least 20 iterations and at least 0 seconds but terminate if exceeding 150 seconds.
INFO: count=20 first=6000 curr=4100 min=4000 max=6000 avg=4200 std=400 p5=4000 median=4100 p95=5900

INFO: Running benchmark for at least {runs} iterations and at least 0 seconds but terminate if exceeding 150 \
seconds.
INFO: count={runs} first=4010 curr=4020 min=3990 max=4700 avg=4050 std=90 p5=3995 median={median} p95={median + 500}

INFO: Inference timings in us: Init: 21500, First inference: 6000, Warmup (avg): 4200, Inference (avg): 4050
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual \
memory footprint of the model at runtime. Take the information at your discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=8.25 overall=11.5""")
if flags.get("enable_op_profiling") == "true":
    print("""INFO: Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t ModifyGraphWithDelegate\t    3.211\t    3.211\t 99.000%\t 99.000%\t  1234.000\t        1\tModifyGraph/0
\t         AllocateTensors\t    0.032\t    0.032\t  1.000%\t100.000%\t     0.000\t        1\tAllocateTensors/0

INFO: Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t Convolution (NHWC, F32) IGEMM\t  2.500\t    2.400\t 60.000%\t 60.000%\t   0.000\t        1\tDelegate/Conv:0
\t RESIZE_NEAREST_NEIGHBOR\t    0.900\t    0.800\t 20.000%\t 80.000%\t     0.000\t        1\t[up/resize]:7
\t Fully Connected (NC, F32) GEMM\t  0.900\t   0.800\t 20.000%\t100.000%\t   0.000\t        1\tDelegate/FC:0

============================== Top by Computation Time ==============================
\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t Convolution (NHWC, F32) IGEMM\t  2.500\t    2.400\t 60.000%\t 60.000%\t   0.000\t        1\tDelegate/Conv:0

Number of nodes executed: 3""")
