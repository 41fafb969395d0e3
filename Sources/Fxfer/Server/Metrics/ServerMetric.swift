/// What a ``FileServer`` counts and measures, by the names that it has in the backend of swift-metrics. Without a backend
/// nothing is kept.
///
/// Every dimension has few values that are fixed here: none comes from a client.
public enum ServerMetric: String, CaseIterable, Sendable {
    /// Counter. Bytes of content that came in and were verified; what a client goes on from is not counted again.
    case bytesReceived = "fxfer_bytes_received_total"
    /// Counter. The same for bytes that clients got; of a file that they repair all of it.
    case bytesSent = "fxfer_bytes_sent_total"
    /// Counter. Files that ended, by `direction` and `outcome`.
    case files = "fxfer_files_total"
    /// Meter. Files that are open on any connection, in both directions.
    case transfersInFlight = "fxfer_transfers_in_flight"
    /// Meter. Connections that are served.
    case connections = "fxfer_connections"
    /// Counter. Connections that were accepted, those included that were then turned away.
    case connectionsAccepted = "fxfer_connections_total"
    /// Counter. What arrived here damaged, by `peer` (where it came from) and `cause` (what found it).
    case corruptChunks = "fxfer_corrupt_chunks_total"
    /// Counter. Chunks that were asked for again, by the server or by a client.
    case rewinds = "fxfer_rewinds_total"
    /// Counter. Damaged chunks of decayed files that were replaced by good ones.
    case repairs = "fxfer_repairs_total"
    /// Counter. Files, requests and connections that the server refused or ended, by `reason`: the code of an
    /// ``FxferError``.
    case refused = "fxfer_refused_total"
    /// Timer. Each fsync(2), of a file or a folder.
    case fsync = "fxfer_fsync_seconds"
    /// Timer. Each file that got its receipt, from its offer on.
    case file = "fxfer_file_seconds"
}

extension ServerMetric {
    /// One line for people.
    public var help: String {
        switch self {
        case .bytesReceived: "Bytes of file content received and verified."
        case .bytesSent: "Bytes of file content sent and verified by the client."
        case .files: "Files that ended, by direction and outcome."
        case .transfersInFlight: "Files being transferred now."
        case .connections: "Connections being served now."
        case .connectionsAccepted: "Connections accepted."
        case .corruptChunks: "Chunks, frames and TLS records that arrived damaged."
        case .rewinds: "Chunks asked for again by either side."
        case .repairs: "Damaged chunks of stored files that were replaced."
        case .refused: "Files, requests and connections refused or ended by the server, by reason."
        case .fsync: "Duration of each fsync."
        case .file: "Duration of each received file, from its offer to its receipt."
        }
    }

    /// Sane upper bounds of a histogram's buckets, in seconds; none for what is no timer.
    public var buckets: [Double] {
        switch self {
        // From a disk with a protected cache to one that is overloaded.
        case .fsync: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
        // From a small file on loopback to a disk image over a slow line.
        case .file: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600]
        default: []
        }
    }
}
