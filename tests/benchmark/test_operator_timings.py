from splitpose.benchmark.operator_timings import by_name, outside_delegate, parse
from splitpose.benchmark.schema import OperatorTime

WITH_START = """
=================== Run Order ===================
                                 [node type]    [start]    [first]   [avg ms]     [%]   [cdf%]   [mem KB] [times called]   [Name]
      Delegate/Convolution (NHWC, F32) IGEMM      0.000      0.015      0.012  30.000%  30.000%      0.000             50   [Delegate]:0
                                     CONV_2D      0.012      0.021      0.020  50.000%  80.000%      0.000             50   [second]:5
      Delegate/Convolution (NHWC, F32) IGEMM      0.000      0.009      0.008  20.000% 100.000%      0.000             50   [Delegate]:1

=================== Top by Computation Time ===================
                                 [node type]    [start]    [first]   [avg ms]     [%]   [cdf%]   [mem KB] [times called]   [Name]
                                     CONV_2D      0.012      0.021      0.020  50.000%  50.000%      0.000             50   [second]:5
"""  # noqa: E501

CONVOLUTION = "Convolution (NHWC, F32) IGEMM"


def test_operators_come_in_run_order_without_the_delegates_prefix():
    assert parse(WITH_START) == [
        OperatorTime(name=CONVOLUTION, ms=0.012),
        OperatorTime(name="CONV_2D", ms=0.020),
        OperatorTime(name=CONVOLUTION, ms=0.008),
    ]


def test_a_table_without_starts_and_with_tabs():
    text = (
        "INFO: ======= Run Order =======\n"
        "\t   [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]\n"
        "\t       CONV_2D\t    4.269\t    4.250\t  0.107%\t  0.107%\t     0.000\t        0\t[a/Relu6]\n"
    )
    assert parse(text) == [OperatorTime(name="CONV_2D", ms=4.25)]


def test_no_table():
    assert parse("") == []
    assert parse("Inference timings in us: Init: 1") == []


def test_what_a_profile_tells():
    times = parse(WITH_START)
    assert outside_delegate(times) == ["CONV_2D"]
    assert by_name(times) == [(CONVOLUTION, 2, 0.020), ("CONV_2D", 1, 0.020)]
