import CoreMetrics
import Synchronization

/// How often a value was at most each of some bounds, and the sum of all values. Those of a timer are in seconds.
final class HistogramSeries: Series, TimerHandler, RecorderHandler {
    static let kind = SeriesKind.histogram

    private struct State {
        /// How many values fell between a bound and the one below it; the last is for those above all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    /// - Parameter bounds: upper bounds, inclusive, in any order; that above all values is not among them.
    init(bounds: [Double]) {
        self.bounds = Set(bounds.filter(\.isFinite)).sorted()
        self.state = Mutex(State(counts: Array(repeating: 0, count: self.bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { self.record(Double(duration) / 1e9) }

    func record(_ value: Int64) { self.record(Double(value)) }

    /// Counts a value; nothing where it is none.
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let index = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.state.withLock { state in
            state.counts[index] += 1
            state.sum += value
        }
    }

    func lines(_ name: String, _ labels: String) -> String {
        let state = self.state.withLock { $0 }
        let before = labels.isEmpty ? "" : labels + ","
        var text = ""
        var count: UInt64 = 0
        for (bound, added) in zip(self.bounds + [.infinity], state.counts) {
            count += added
            let label = "le=\"\(PrometheusText.number(bound))\""
            text += PrometheusText.line("\(name)_bucket", before + label, "\(count)")
        }
        text += PrometheusText.line("\(name)_sum", labels, PrometheusText.number(state.sum))
        text += PrometheusText.line("\(name)_count", labels, "\(count)")
        return text
    }
}
