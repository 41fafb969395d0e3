import CoreMetrics
import Testing

@testable import FxferMetrics

@Suite("A Prometheus registry")
struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry([
        "c_total": .init(help: "Words."),
        "t_seconds": .init(help: "Time.", buckets: [10, 0.5, .infinity]),
    ])

    @Test("is empty at first")
    func empty() {
        #expect(self.registry.text == "")
    }

    @Test("writes names and labels in their order, with help where there is some")
    func order() {
        Counter(label: "c_total", dimensions: [("k", "b")], factory: self.registry).increment(by: 2)
        Counter(label: "c_total", dimensions: [("k", "a")], factory: self.registry).increment()
        Meter(label: "a", factory: self.registry).set(1.5)
        let text = """
            # TYPE a gauge
            a 1.5
            # HELP c_total Words.
            # TYPE c_total counter
            c_total{k="a"} 1
            c_total{k="b"} 2

            """
        #expect(self.registry.text == text)
    }

    @Test("gives the same counter for the same name and labels, in whatever order")
    func same() {
        Counter(label: "n", dimensions: [("a", "1"), ("b", "2")], factory: self.registry).increment()
        Counter(label: "n", dimensions: [("b", "2"), ("a", "1")], factory: self.registry).increment()
        #expect(self.registry.text == "# TYPE n counter\nn{a=\"1\",b=\"2\"} 2\n")
    }

    @Test("keeps what is destroyed")
    func destroyed() {
        let counter = Counter(label: "n", factory: self.registry)
        counter.increment()
        counter.destroy()
        Counter(label: "n", factory: self.registry).increment()
        #expect(self.registry.text == "# TYPE n counter\nn 2\n")
    }

    @Test("a counter never goes down, but may be reset")
    func counter() {
        let counter = Counter(label: "n", factory: self.registry)
        counter.increment(by: 5)
        counter.increment(by: -3)
        #expect(self.registry.text == "# TYPE n counter\nn 5\n")
        counter.reset()
        #expect(self.registry.text == "# TYPE n counter\nn 0\n")
    }

    @Test("a gauge goes up and down")
    func gauge() {
        let meter = Meter(label: "n", factory: self.registry)
        meter.increment(by: 3.0)
        meter.decrement()
        #expect(self.registry.text == "# TYPE n gauge\nn 2\n")
        Gauge(label: "n", factory: self.registry).record(-7)
        #expect(self.registry.text == "# TYPE n gauge\nn -7\n")
    }

    @Test("a timer is a histogram in seconds, whose buckets are cumulative and have inclusive bounds")
    func timer() {
        let timer = Timer(label: "t_seconds", dimensions: [("k", "v")], factory: self.registry)
        for nanoseconds in [1, 500_000_000, 500_000_001, 10_000_000_000, 11_000_000_000] {
            timer.recordNanoseconds(nanoseconds)
        }
        let text = """
            # HELP t_seconds Time.
            # TYPE t_seconds histogram
            t_seconds_bucket{k="v",le="0.5"} 2
            t_seconds_bucket{k="v",le="10"} 4
            t_seconds_bucket{k="v",le="+Inf"} 5
            t_seconds_sum{k="v"} 22.000000002
            t_seconds_count{k="v"} 5

            """
        #expect(self.registry.text == text)
    }

    @Test("a recorder has the usual buckets, and takes no value that is none")
    func recorder() {
        let recorder = Recorder(label: "r", factory: self.registry)
        recorder.record(Double.nan)
        recorder.record(3)
        let lines = self.registry.text.split(separator: "\n")
        #expect(lines.count == 1 + PrometheusRegistry.usualBuckets.count + 3)
        #expect(lines.contains("r_bucket{le=\"2.5\"} 0"))
        #expect(lines.contains("r_bucket{le=\"5\"} 1"))
        #expect(lines.suffix(2) == ["r_sum 3", "r_count 1"])
    }

    @Test("a name belongs to one kind of metric")
    func conflict() {
        Counter(label: "n", factory: self.registry).increment()
        Meter(label: "n", factory: self.registry).set(7)
        Timer(label: "n", dimensions: [("a", "b")], factory: self.registry).recordNanoseconds(1)
        #expect(self.registry.text == "# TYPE n counter\nn 1\n")
    }

    @Test("counts right from many threads")
    func threads() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "c_total", factory: self.registry)
                    let meter = Meter(label: "g", factory: self.registry)
                    let timer = Timer(label: "t_seconds", factory: self.registry)
                    for _ in 0..<1000 {
                        counter.increment()
                        meter.increment()
                        timer.recordNanoseconds(1_000_000_000)
                        if self.registry.text.isEmpty { Issue.record("there is a counter") }
                    }
                }
            }
        }
        let lines = self.registry.text.split(separator: "\n")
        for line in ["c_total 8000", "g 8000", "t_seconds_count 8000", "t_seconds_sum 8000"] {
            #expect(lines.contains(Substring(line)))
        }
    }
}
