import FxferProtocol
import NIOCore

/// Whether a client is fast enough: with what it has begun to send, and with what it has asked for. Between two frames
/// it owes nothing, however long it says no more than that it is alive.
struct ConnectionPace {
    private let minRate: UInt64
    private var incoming: PaceWatch
    private var outgoing: PaceWatch
    private var lastOutput = OutputProgress(takenWrites: 0, takenBytes: 0, waitingBytes: 0)

    init(minRate: UInt64, idleTimeout: TimeAmount) {
        self.minRate = minRate
        self.incoming = PaceWatch(minRate: minRate, idleTimeout: idleTimeout)
        self.outgoing = self.incoming
    }

    /// Something that came in was looked at.
    mutating func took(_ event: WireEvent) {
        switch event {
        case .payload(let bytes): self.incoming.moved(bytes.readableBytes)
        case .frame, .payloadEnd: self.incoming.isWhole()
        }
    }

    /// More is asked of the client from now on.
    mutating func waits(for decoder: FrameDecoder, now: NIODeadline) {
        guard !decoder.isAtBoundary else { return self.incoming.isWhole() }
        self.incoming.waits(holding: decoder.heldBytes, now: now)
    }

    /// The client said something.
    mutating func heard(now: NIODeadline) {
        self.incoming.waitIsOver(now: now)
    }

    /// Why the connection is to be ended; nil where all is well. To be asked about every second.
    mutating func check(_ output: OutputProgress, now: NIODeadline) -> FxferError? {
        self.note(output, now: now)
        if self.incoming.isTooSlow(now: now) {
            return self.error("what was begun came with")
        }
        if self.outgoing.isTooSlow(now: now) {
            return self.error("what was asked for was taken with")
        }
        return nil
    }

    private mutating func note(_ output: OutputProgress, now: NIODeadline) {
        if output.takenWrites != self.lastOutput.takenWrites || output.waitingBytes == 0 {
            self.outgoing.isWhole()
        } else {
            self.outgoing.waitIsOver(now: now)
            self.outgoing.moved(max(0, output.takenBytes &- self.lastOutput.takenBytes))
        }
        if output.waitingBytes > 0 { self.outgoing.waits(holding: 0, now: now) }
        self.lastOutput = output
    }

    private func error(_ what: String) -> FxferError {
        FxferError(.timedOut, "too slow: \(what) less than \(self.minRate) bytes a second")
    }
}
