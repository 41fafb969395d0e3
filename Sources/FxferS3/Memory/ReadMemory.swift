import CoreMetrics

/// How many bytes of objects that are given may be in memory at once, all downloads of a process together.
///
/// Windows are read ahead: whoever finds none free does without, and none stays with somebody who is slow where another
/// one wants it. So nobody waits for those who do not read; what was handed on is with their connections.
struct ReadMemory: Sendable {
    /// Never waited for.
    let windows: TransferMemory
    /// What is read at once, without a window, and handed on at once.
    let pieces: TransferMemory

    init(_ options: ObjectStore.Options, meter: Meter? = nil, timeToRead: Duration = .seconds(1)) {
        let refusal = "the server gives too many files at once; try again later"
        self.windows = TransferMemory(capacity: options.windowMemory, timeToFill: timeToRead, meter: meter)
        self.pieces = TransferMemory(capacity: options.readMemory, meter: meter, refusal: refusal)
    }
}
