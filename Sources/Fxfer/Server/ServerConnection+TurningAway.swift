import FxferProtocol
import NIOCore

/// Connections that are not served: there are too many.
extension ServerConnection {
    /// Tells the client why it is not served, once it has said its first words, and closes the connection; all of that
    /// takes ``WireChannel/lingerTime`` at most. What it says is read and thrown away: else closing would reset the
    /// connection, and the client would never see the reason.
    func turnAway(_ error: FxferError) async {
        self.closeSoon()
        // How the client takes it is of no interest.
        try? await self.wire.withInbound { inbound in
            var parts = inbound.makeAsyncIterator()
            words: while true {
                switch try await parts.next(isolation: self) {
                case .secured: continue words
                case .bytes: self.hasHeard = true
                case .guest: self.isWithGuest = true
                case nil: break
                }
                break
            }
            self.end(error)
            while try await parts.next(isolation: self) != nil {}
        }
    }

    /// Ends a connection that was not admitted, for the sake of another.
    func makeRoom(_ error: FxferError, mayLinger: Bool) {
        if !mayLinger {
            self.close(error)
        } else if self.hasHeard {
            self.end(error)
        } else {
            // Its first words may be on their way.
            self.dismissal = error
            self.closeSoon()
        }
    }

    private func closeSoon() {
        let channel = self.wire.channel
        let closing = self.wire.eventLoop.scheduleTask(in: WireChannel.lingerTime) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in closing.cancel() }
    }

    /// Closes the connection without a word.
    func close(_ error: FxferError) {
        self.hasEnded = true
        self.metrics.refused(error.code)
        self.log.connectionFailed(error, level: .debug)
        self.wire.channel.close(promise: nil)
    }
}

extension ConnectionSlots.Limit {
    /// What a client is told that is not served for it.
    var error: FxferError {
        switch self {
        case .address: FxferError(.busy, "too many connections from your address; try again later")
        case .all: FxferError(.busy, "the server has too many connections; try again later")
        }
    }
}
