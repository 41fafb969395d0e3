import CoreMetrics
import Synchronization

/// A number that goes up and down.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    static let kind = SeriesKind.gauge

    private let value = Mutex<Double>(0)

    func set(_ value: Int64) { self.set(Double(value)) }

    func set(_ value: Double) { self.value.withLock { $0 = value } }

    func increment(by amount: Double) { self.value.withLock { $0 += amount } }

    func decrement(by amount: Double) { self.value.withLock { $0 -= amount } }

    func record(_ value: Int64) { self.set(value) }

    func record(_ value: Double) { self.set(value) }

    func lines(_ name: String, _ labels: String) -> String {
        PrometheusText.line(name, labels, PrometheusText.number(self.value.withLock { $0 }))
    }
}
