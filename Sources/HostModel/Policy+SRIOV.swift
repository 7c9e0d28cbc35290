extension Policy {
  /// Virtual functions of SR-IOV.
  package struct SRIOV: Hashable, Sendable {
    /// How many virtual functions there are to be, ascending by the names of the physical ones.
    package var numbers: [Number] = []
    /// What single virtual functions are to be, ascending by their names.
    package var functions: [Function] = []

    package init() {}

    package struct Number: Hashable, Sendable {
      /// The physical function's PCI address, or the name of its interface.
      package var physical: String
      package var count: Int

      package init(physical: String, count: Int) {
        self.physical = physical
        self.count = count
      }
    }

    package struct Function: Hashable, Sendable {
      /// The function's own PCI address; or its physical function and its number there, with a slash
      /// between them.
      package var name: String
      /// In the order of `VirtualFunctionAttribute.allCases`.
      package var wishes: [Wish]

      package init(name: String, wishes: [Wish]) {
        self.name = name
        self.wishes = wishes
      }
    }

    package struct Wish: Hashable, Sendable {
      package var attribute: VirtualFunctionAttribute
      package var text: String

      package init(_ attribute: VirtualFunctionAttribute, _ text: String) {
        self.attribute = attribute
        self.text = text
      }
    }
  }
}
