import CoreMetrics
import Synchronization

/// A number that only grows, unless it is reset.
final class CounterSeries: Series, CounterHandler {
    static let kind = SeriesKind.counter

    private let value = Atomic<UInt64>(0)

    /// Adds `amount`; nothing where it is negative.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        self.value.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func reset() {
        self.value.store(0, ordering: .relaxed)
    }

    func lines(_ name: String, _ labels: String) -> String {
        PrometheusText.line(name, labels, "\(self.value.load(ordering: .relaxed))")
    }
}
