/// The numbers of one metric with one set of labels.
protocol Series: AnyObject, Sendable {
    static var kind: SeriesKind { get }

    /// The lines of its numbers.
    ///
    /// - Parameter labels: as they stand between braces; may be empty.
    func lines(_ name: String, _ labels: String) -> String
}

/// What a TYPE line says.
enum SeriesKind: String {
    case counter
    case gauge
    case histogram
}
