import CoreMetrics
import Synchronization

/// A backend of swift-metrics in memory, which writes all that it has in Prometheus' text format.
///
/// What was made once stays: a counter that vanished and came back would look like one that was reset. So labels have to
/// have few values, known beforehand.
package final class PrometheusRegistry: Sendable {
    /// What is known of a metric beside its name.
    package struct Description: Sendable {
        fileprivate let help: String
        fileprivate let buckets: [Double]

        /// - Parameters:
        ///   - help: one line for people.
        ///   - buckets: the upper bounds of a histogram, in the metric's own unit (of a timer: seconds).
        package init(help: String, buckets: [Double] = []) {
            self.help = help
            self.buckets = buckets
        }
    }

    /// All series of one name.
    private struct Family: Sendable {
        let kind: SeriesKind
        /// By their labels.
        var series: [String: any Series] = [:]
    }

    /// The bounds of histograms that have none of their own: those of Prometheus' own libraries.
    static let usualBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private let descriptions: [String: Description]
    private let families = Mutex<[String: Family]>([:])

    /// - Parameter descriptions: by name; metrics that are not among them have no help and the usual buckets.
    package init(_ descriptions: [String: Description] = [:]) {
        self.descriptions = descriptions
    }

    /// Everything, in the order of names and labels; ends with a line feed unless it is empty.
    package var text: String {
        var text = ""
        for (name, family) in self.families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            if let description = self.descriptions[name] {
                text += "# HELP \(name) \(PrometheusText.escape(help: description.help))\n"
            }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                text += series.lines(name, labels)
            }
        }
        return text
    }

    /// The series of that name and these labels: the one that is there, or a new one. Where the name belongs to metrics
    /// of another kind, the answer is one that is not shown.
    private func series<Kind: Series>(
        _ label: String,
        _ dimensions: [(String, String)],
        make: (_ name: String) -> Kind
    ) -> Kind {
        let name = PrometheusText.metricName(label)
        let labels = PrometheusText.labels(dimensions)
        return self.families.withLock { families in
            var family = families[name] ?? Family(kind: Kind.kind)
            if let series = family.series[labels] as? Kind { return series }
            let series = make(name)
            guard family.kind == Kind.kind else { return series }
            family.series[labels] = series
            families[name] = family
            return series
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        self.series(label, dimensions) { name in
            let buckets = self.descriptions[name]?.buckets ?? []
            return HistogramSeries(bounds: buckets.isEmpty ? Self.usualBuckets : buckets)
        }
    }
}

extension PrometheusRegistry: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        self.series(label, dimensions) { _ in CounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        self.series(label, dimensions) { _ in GaugeSeries() }
    }

    /// - Parameter aggregate: whether all values are of interest, as a histogram, or only the last, as a gauge.
    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { return self.histogram(label, dimensions) }
        return self.series(label, dimensions) { _ in GaugeSeries() }
    }

    /// A histogram in seconds.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        self.histogram(label, dimensions)
    }

    package func destroyCounter(_: any CounterHandler) {}

    package func destroyMeter(_: any MeterHandler) {}

    package func destroyRecorder(_: any RecorderHandler) {}

    package func destroyTimer(_: any TimerHandler) {}
}
