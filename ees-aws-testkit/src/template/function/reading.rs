//! Reads the functions of a template from its resources.

use std::time::Duration;

use super::events::{add_event, destination, filtered, mapping, optional};
use super::{Function, Route};
use crate::template::read::{At, Read};
use crate::template::{Resource, Template};

impl Template {
    /// The functions with what invokes them, in the order of their ids.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`](super::super::TemplateError::Invalid) if a property has a value
    /// that it cannot have.
    pub fn functions(&self) -> Read<Vec<Function>> {
        let functions = self.of_type("AWS::Serverless::Function");
        let mut functions: Vec<_> = functions.map(function).collect::<Read<_>>()?;
        for bucket in self.of_type("AWS::S3::Bucket") {
            notify(&mut functions, bucket)?;
        }
        for resource in self.of_type("AWS::Lambda::EventSourceMapping") {
            let at = properties(resource);
            let of = at.get("FunctionName").text()?;
            let mapping = mapping(&resource.id, &at.get("EventSourceArn"), &at)?;
            named(&mut functions, &of, &at)?.mappings.push(mapping);
        }
        for api in self.of_type("AWS::Serverless::Api") {
            routes(&mut functions, api)?;
        }
        Ok(functions)
    }

    /// The function that a function URL calls; `None` if the template has no function URL.
    ///
    /// # Errors
    /// As [`Template::functions`].
    pub fn function_url(&self) -> Read<Option<String>> {
        let url = self.of_type("AWS::Lambda::Url").next();
        let target = url.map(|url| properties(url).get("TargetFunctionArn").text());
        target.transpose()
    }
}

fn properties(resource: &Resource) -> At<'_> {
    At::new(
        &resource.properties,
        format!("Resources.{}.Properties", resource.id),
    )
}

fn function(resource: &Resource) -> Read<Function> {
    let at = properties(resource);
    let invoked = at.get("EventInvokeConfig");
    let variables = at.get("Environment").get("Variables").members()?;
    let variable = |(name, value): (&str, At)| Ok((name.to_owned(), value.text()?));
    let mut function = Function {
        id: resource.id.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone().unwrap_or_default(),
        handler: at.get("Handler").text()?,
        timeout: at
            .get("Timeout")
            .seconds()?
            .unwrap_or(Duration::from_secs(3)),
        memory: at.get("MemorySize").count()?.unwrap_or(128),
        concurrency: at.get("ReservedConcurrentExecutions").count()?,
        environment: variables.into_iter().map(variable).collect::<Read<_>>()?,
        mappings: Vec::new(),
        schedules: Vec::new(),
        triggers: Vec::new(),
        routes: Vec::new(),
        async_retries: invoked.get("MaximumRetryAttempts").count()?.unwrap_or(2),
        async_max_age: invoked
            .get("MaximumEventAgeInSeconds")
            .seconds()?
            .unwrap_or(Duration::from_hours(6)),
        dead_letters: optional(&at.get("DeadLetterQueue").get("TargetArn"))?,
        async_on_failure: destination(&invoked)?,
    };
    for (id, event) in at.get("Events").members()? {
        add_event(&mut function, id, &event)?;
    }
    Ok(function)
}

/// Adds the notifications that a bucket's properties define.
fn notify(functions: &mut [Function], bucket: &Resource) -> Read<()> {
    let wanted = properties(bucket).get("NotificationConfiguration");
    for at in wanted.get("LambdaConfigurations").items()? {
        let trigger = filtered(bucket.name.clone(), vec![at.get("Event").text()?], &at)?;
        let of = at.get("Function").text()?;
        named(functions, &of, &at)?.triggers.push(trigger);
    }
    Ok(())
}

/// Adds the routes that the definition of an API has beside those of the functions' events.
fn routes(functions: &mut [Function], api: &Resource) -> Read<()> {
    let paths = properties(api).get("DefinitionBody").get("paths");
    for (path, methods) in paths.members()? {
        for (name, method) in methods.members()? {
            let uri = method.get("x-amazon-apigateway-integration").get("uri");
            let text = uri.text()?;
            let of = text.split_once("/functions/");
            let of = of.and_then(|(_, arn)| arn.strip_suffix("/invocations"));
            let of = of.ok_or_else(|| uri.wrong("the integration of a function"))?;
            let method = match name {
                "x-amazon-apigateway-any-method" => "ANY".to_owned(),
                name => name.to_uppercase(),
            };
            let path = path.to_owned();
            let route = Route { path, method };
            named(functions, of, &uri)?.routes.push(route);
        }
    }
    Ok(())
}

/// The function of this name or ARN.
fn named<'a>(functions: &'a mut [Function], of: &str, at: &At) -> Read<&'a mut Function> {
    let mut found = functions.iter_mut();
    let found = found.find(|function| function.arn == of || function.name == of);
    found.ok_or_else(|| at.wrong(&format!("a function of the template, not {of}")))
}
