import CoreMetrics
import NIOCore

/// What a node counts and measures of its store, by the names that it has in the backend of swift-metrics. Without a
/// backend nothing is kept.
package enum StoreMetric: String, CaseIterable, Sendable {
    /// Counter. Requests that were sent, those again that failed, by `method` and `outcome`.
    case requests = "fxfer_store_requests_total"
    /// Timer. Each request, from its first byte to the last one of its answer.
    case request = "fxfer_store_request_seconds"
    /// Counter. Requests that were sent again, as they failed for reasons that may pass.
    case retries = "fxfer_store_retries_total"
    /// Meter. Bytes of files on their way, in or out, that are in memory.
    case memory = "fxfer_store_memory_bytes"

    /// One line for people.
    package var help: String {
        switch self {
        case .requests: "Requests to the object store, by method and outcome."
        case .request: "Duration of each request to the object store."
        case .retries: "Requests to the object store that were sent again."
        case .memory: "Memory that parts of files take until the object store or a client's connection has them."
        }
    }

    /// Upper bounds of a histogram's buckets, in seconds; none for what is no timer.
    package var buckets: [Double] {
        self == .request ? [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100] : []
    }
}

/// Counts what becomes of requests to the store.
struct StoreMetrics: Sendable {
    /// What became of a request.
    private enum Outcome: String, CaseIterable {
        case success
        /// Also where a name is not there, or a condition does not hold, which is no fault.
        case refused
        /// For a reason of the store's own.
        case failed
        /// There was no answer, or none that makes sense.
        case unreachable

        init(_ error: (any Error)?) {
            guard let error else {
                self = .success
                return
            }
            guard let error = error as? S3Error, case .answered = error.reason else {
                self = .unreachable
                return
            }
            self = error.isTemporary ? .failed : .refused
        }
    }

    private struct Kind: Hashable {
        let method: String
        let outcome: Outcome
    }

    private static let methods = ["DELETE", "GET", "HEAD", "POST", "PUT"]

    let retries: Counter
    let memory: Meter
    private let requests: [Kind: Counter]
    private let request: Timer

    /// - Parameter factory: the backend; that of the process by default.
    init(factory: any MetricsFactory = MetricsSystem.factory) {
        let kinds = Self.methods.flatMap { method in Outcome.allCases.map { Kind(method: method, outcome: $0) } }
        self.requests = Dictionary(
            uniqueKeysWithValues: kinds.map { kind in
                let dimensions = [("method", kind.method), ("outcome", kind.outcome.rawValue)]
                return (kind, Counter(label: StoreMetric.requests.rawValue, dimensions: dimensions, factory: factory))
            }
        )
        self.request = Timer(label: StoreMetric.request.rawValue, factory: factory)
        self.retries = Counter(label: StoreMetric.retries.rawValue, factory: factory)
        self.memory = Meter(label: StoreMetric.memory.rawValue, factory: factory)
    }

    /// A request has ended.
    func ended(_ method: String, _ error: (any Error)?, since begin: NIODeadline) {
        self.request.recordNanoseconds((.now() - begin).nanoseconds)
        self.requests[Kind(method: method, outcome: Outcome(error))]?.increment()
    }
}
