#![doc = include_str!("../README.md")]

mod app;
mod asked;
mod attempts;
mod entry;
mod extract;
mod fault;
mod fields;
mod files;
mod history;
mod moment;
mod newest;
mod origin;
mod pages;
mod routes;
mod sampling;
mod sealed;
mod sessions;
mod settings;
mod view;
mod viewer;

use ees_core::EventStore;
use ees_http::BrowserPages;

pub use settings::Settings;

/// Where the console is.
const ENTRY: &str = "/console";

/// The console of a store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console {
    app: app::App,
}

impl Console {
    /// The console of a store.
    pub fn new(store: EventStore, settings: Settings) -> Self {
        Self {
            app: app::App::new(store, settings),
        }
    }

    /// The pages, for [`Options::pages`](ees_http::Options::pages).
    pub fn pages(&self) -> BrowserPages {
        BrowserPages {
            routes: routes::routes(self.app.clone()),
            entry: ENTRY,
        }
    }

    /// Remembers the last hour of the metrics and of the consumers' lag, for the plots, until
    /// [`Settings::closing`] is cancelled.
    pub async fn keep_history(self) {
        sampling::sample(self.app).await;
    }
}
