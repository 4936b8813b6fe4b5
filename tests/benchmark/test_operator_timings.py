from splitpose.benchmark.operator_timings import outside_delegate, parse, total_by_name
from splitpose.benchmark.schema import OperatorTiming

TABLE_WITH_START = """
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


def test_operators_are_parsed_in_run_order_without_the_delegates_prefix():
    assert parse(TABLE_WITH_START) == [
        OperatorTiming(name=CONVOLUTION, ms=0.012),
        OperatorTiming(name="CONV_2D", ms=0.020),
        OperatorTiming(name=CONVOLUTION, ms=0.008),
    ]


def test_a_table_with_tabs_and_without_start_times_is_parsed():
    text = (
        "INFO: ======= Run Order =======\n"
        "\t   [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]\n"
        "\t       CONV_2D\t    4.269\t    4.250\t  0.107%\t  0.107%\t     0.000\t        0\t[a/Relu6]\n"
    )
    assert parse(text) == [OperatorTiming(name="CONV_2D", ms=4.25)]


def test_a_text_without_a_table_has_no_timings():
    assert parse("") == []
    assert parse("Inference timings in us: Init: 1") == []


def test_timings_are_totalled_by_name_and_list_the_operators_outside_the_delegate():
    timings = parse(TABLE_WITH_START)
    assert outside_delegate(timings) == ["CONV_2D"]
    assert total_by_name(timings) == [(CONVOLUTION, 2, 0.020), ("CONV_2D", 1, 0.020)]
