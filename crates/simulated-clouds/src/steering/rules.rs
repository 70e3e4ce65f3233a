//! When calls fail, and how.

/// When to fail, and how.
#[derive(Clone, Debug)]
pub struct Rule<M, F> {
    fault: F,
    method: Option<M>,
    name: Option<String>,
    only_later_pages: bool,
    left: Option<u32>,
}

impl<M: Copy + PartialEq, F: Clone> Rule<M, F> {
    /// Every call fails so, until the filters below narrow it.
    pub fn new(fault: F) -> Self {
        Self {
            fault,
            method: None,
            name: None,
            only_later_pages: false,
            left: None,
        }
    }

    /// Only calls of this method.
    #[must_use]
    pub fn on(mut self, method: M) -> Self {
        self.method = Some(method);
        self
    }

    /// Only calls about this region, quota, tenant or project.
    #[must_use]
    pub fn of(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only pages after the first.
    #[must_use]
    pub fn after_first_page(mut self) -> Self {
        self.only_later_pages = true;
        self
    }

    /// Only this often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Returns the fault if the rule strikes this call.
    pub(super) fn strike(&mut self, method: M, name: &str, is_later_page: bool) -> Option<F> {
        let strikes = self.method.is_none_or(|only| only == method)
            && self.name.as_deref().is_none_or(|only| only == name)
            && (is_later_page || !self.only_later_pages)
            && self.left != Some(0);
        if !strikes {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(self.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_what_it_names_and_as_often_as_it_says() {
        let mut rule = Rule::new("down").on('g').of("eastus").times(2);
        assert_eq!(rule.strike('l', "eastus", false), None);
        assert_eq!(rule.strike('g', "westus", false), None);
        assert_eq!(rule.strike('g', "eastus", false), Some("down"));
        assert_eq!(rule.strike('g', "eastus", true), Some("down"));
        assert_eq!(rule.strike('g', "eastus", false), None);

        let mut later = Rule::new("down").after_first_page();
        assert_eq!(later.strike('g', "", false), None);
        assert_eq!(later.strike('l', "", true), Some("down"));
    }
}
