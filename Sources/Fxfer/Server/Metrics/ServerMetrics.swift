import CoreMetrics
import FxferProtocol
import NIOCore

/// Counts and measures what a server does. What there can be is made at once, so that every counter begins with 0, and
/// an event costs an atomic operation or a few.
final class ServerMetrics: Sendable {
    let bytesReceived: Counter
    let bytesSent: Counter
    let transfersInFlight: Meter
    let connections: Meter
    let connectionsAccepted: Counter
    let rewinds: Counter
    let repairs: Counter
    private let files: [FileEnd: Counter]
    private let corruptions: [Corruption: Counter]
    private let refusals: [FxferError.Code: Counter]
    private let fsync: Timer
    private let file: Timer

    /// - Parameter factory: the backend; that of the process or of the task by default.
    init(factory: any MetricsFactory = MetricsSystem.factory) {
        func counter(_ metric: ServerMetric, _ dimensions: [(String, String)] = []) -> Counter {
            Counter(label: metric.rawValue, dimensions: dimensions, factory: factory)
        }
        self.bytesReceived = counter(.bytesReceived)
        self.bytesSent = counter(.bytesSent)
        self.transfersInFlight = Meter(label: ServerMetric.transfersInFlight.rawValue, factory: factory)
        self.connections = Meter(label: ServerMetric.connections.rawValue, factory: factory)
        self.connectionsAccepted = counter(.connectionsAccepted)
        self.rewinds = counter(.rewinds)
        self.repairs = counter(.repairs)
        self.files = Self.each(FileEnd.all) { counter(.files, $0.dimensions) }
        self.corruptions = Self.each(Corruption.all) { counter(.corruptChunks, $0.dimensions) }
        self.refusals = Self.each(FxferError.Code.allCases) { counter(.refused, [("reason", $0.rawValue)]) }
        self.fsync = Timer(label: ServerMetric.fsync.rawValue, factory: factory)
        self.file = Timer(label: ServerMetric.file.rawValue, factory: factory)
    }

    private static func each<Key: Hashable>(_ keys: [Key], _ counter: (Key) -> Counter) -> [Key: Counter] {
        Dictionary(uniqueKeysWithValues: keys.map { ($0, counter($0)) })
    }

    /// A file is over.
    func ended(_ direction: FileEnd.Direction, _ outcome: FileEnd.Outcome) {
        self.files[FileEnd(direction: direction, outcome: outcome)]?.increment()
    }

    /// Something arrived damaged.
    func damaged(_ corruption: Corruption) {
        self.corruptions[corruption]?.increment()
    }

    /// A client was told that it does not get what it wants.
    func refused(_ code: FxferError.Code) {
        self.refusals[code]?.increment()
    }

    /// A file was received, for which there is a receipt.
    func received(in time: TimeAmount) {
        self.file.recordNanoseconds(time.nanoseconds)
    }

    /// An fsync(2) has returned.
    func flushed(in time: TimeAmount) {
        self.fsync.recordNanoseconds(time.nanoseconds)
    }
}
