import FxferNetwork
import FxferProtocol
import NIOCore

/// What the metrics are told beside the log.
extension ServerConnection {
    func noteRefused(_ error: FxferError) {
        self.metrics.refused(error.code)
    }

    /// Something came in damaged.
    func count(_ cause: Corruption.Cause) {
        self.metrics.damaged(Corruption(peer: self.peer, cause: cause))
    }

    /// A file that comes in is open from now on; folders are not counted.
    func countBegin(of offer: Offer) {
        if !offer.attributes.isFolder { self.metrics.transfersInFlight.increment() }
    }

    /// A file that came in is over.
    func countEnd(_ incoming: IncomingFile<Directory.Staged>, _ outcome: FileEnd.Outcome) {
        guard !incoming.isFolder else { return }
        self.metrics.transfersInFlight.decrement()
        self.metrics.ended(.received, outcome)
    }

    /// A file that is given is over.
    func countEnd(_ label: GivenFile, _ result: Result<SentReceipt?, FxferError>) {
        self.metrics.transfersInFlight.decrement()
        switch result {
        case .success(let sent):
            // What is in memory is confirmed by its receipt alone.
            if let sent { self.countSent(label, verified: sent.receipt.content.length) }
            self.metrics.ended(.sent, FileEnd.Outcome(sent?.receipt))
        case .failure:
            self.metrics.ended(.sent, .failed)
        }
        self.countedSent[label.file] = nil
    }

    /// A client has that many bytes of a file, of which some may be counted.
    func countSent(_ label: GivenFile, verified: UInt64) {
        let counted = self.countedSent[label.file, default: 0]
        guard verified > counted else { return }
        self.metrics.bytesSent.increment(by: verified - counted)
        self.countedSent[label.file] = verified
    }
}

extension Corruption.Peer {
    /// Who is at the other end of a channel that is connected.
    init(of channel: any Channel) {
        self = SameMachine.isSameMachine(channel) ? .sameMachine : .remote
    }
}
