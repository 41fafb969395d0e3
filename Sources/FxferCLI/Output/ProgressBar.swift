import FxferProtocol

/// The progress line of a terminal: what the receiver has verified, of how much, how fast, and the time left.
struct ProgressBar {
    /// How often the line is drawn at most.
    private static let interval = Duration.milliseconds(100)

    private let stream: StandardStream
    private let total: UInt64?
    private let began = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?

    init(stream: StandardStream, total: UInt64?) {
        self.stream = stream
        self.total = total
    }

    /// Draws the line unless it was drawn just now.
    ///
    /// - Parameter name: the file that made progress, escaped.
    mutating func draw(_ name: String, verified: UInt64) {
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < Self.interval, verified != self.total { return }
        self.lastDrawn = now
        let line = Self.line(name, verified: verified, of: self.total, in: now - self.began, width: self.stream.columns)
        self.stream.write(bytes: Array("\r\(line)\u{1B}[K".utf8))
    }

    /// Removes the line where something else is about to be written to the same terminal.
    mutating func clear(if isShared: Bool) {
        if isShared { self.clear() }
    }

    /// Removes the line, so that something else can be written.
    mutating func clear() {
        guard self.lastDrawn != nil else { return }
        self.lastDrawn = nil
        self.stream.write(bytes: Array("\r\u{1B}[K".utf8))
    }

    /// The text of the line, at most `width` - 1 columns: the name is cut first, then figures are left out. Where the
    /// total is not known there is neither a percentage nor a time left.
    static func line(_ name: String, verified: UInt64, of total: UInt64?, in time: Duration, width: Int) -> String {
        let rate = HumanText.rate(verified, in: time)
        let choices =
            total.map { Self.figures(verified, of: $0, rate, in: time) } ?? [
                "\(HumanText.size(verified)) verified  \(rate)", rate,
            ]
        guard let figures = choices.first(where: { $0.count < width }) else { return "" }
        let label = DisplayWidth.cut(name, to: width - 2 - figures.count)
        return label.isEmpty ? figures : "\(label) \(figures)"
    }

    private static func figures(_ verified: UInt64, of total: UInt64, _ rate: String, in time: Duration) -> [String] {
        let percent = total == 0 ? 100 : verified.multipliedFullWidth(by: 100).high == 0 ? verified * 100 / total : 0
        let left =
            verified == 0
            ? "-:--" : HumanText.time(time * (Double(total - min(verified, total)) / Double(verified)))
        let amounts = "\(HumanText.size(verified)) of \(HumanText.size(total)) verified"
        return [
            "\(percent)%  \(amounts)  \(rate)  \(left) left",
            "\(percent)%  \(rate)  \(left) left",
            "\(percent)%",
        ]
    }
}
