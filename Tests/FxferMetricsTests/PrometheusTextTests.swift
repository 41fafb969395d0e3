import Testing

@testable import FxferMetrics

@Suite("Prometheus' text format")
struct PrometheusTextTests {
    @Test(
        "a label's value is escaped, byte by byte",
        arguments: [
            ("plain", "plain"), ("a\\b", #"a\\b"#), ("a\"b", #"a\"b"#), ("a\nb", #"a\nb"#), ("a\r\nb", "a\r\\nb"),
            ("\"\u{301}", "\\\"\u{301}"), ("é}{,=", "é}{,="),
        ]
    )
    func labelValue(value: String, escaped: String) {
        #expect(Array(PrometheusText.labels([("name", value)]).utf8) == Array("name=\"\(escaped)\"".utf8))
    }

    @Test("labels stand in the order of their names, and one name stands once")
    func labels() {
        #expect(PrometheusText.labels([]) == "")
        #expect(PrometheusText.labels([("b", "1"), ("a", "2"), ("b", "3")]) == #"a="2",b="1""#)
        #expect(PrometheusText.labels([("a-b", "1"), ("a_b", "2")]) == #"a_b="1""#)
    }

    @Test("help has no quotes escaped")
    func help() {
        #expect(PrometheusText.escape(help: "a\\ \"b\"\nc") == #"a\\ "b"\nc"#)
    }

    @Test(
        "a name has only what may be in one",
        arguments: [
            ("fxfer_x_total", "fxfer_x_total"), ("a:b", "a:b"), ("a.b-c", "a_b_c"), ("0a1", "_a1"), ("", "_"),
            ("é", "__"), ("a\n# x", "a___x"),
        ]
    )
    func metricName(name: String, expected: String) {
        #expect(PrometheusText.metricName(name) == expected)
    }

    @Test("a label's name has no colon")
    func labelName() {
        #expect(PrometheusText.labelName("a:b") == "a_b")
    }

    @Test(
        "numbers are as Go reads them",
        arguments: [
            (0, "0"), (3, "3"), (-2, "-2"), (0.0001, "0.0001"), (2.5, "2.5"), (1e15, "1000000000000000"),
            (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)]
    )
    func number(value: Double, text: String) {
        #expect(PrometheusText.number(value) == text)
    }
}
